"""Plugins from entry points: an own loop with one `try` per plugin and stage, so that a broken one harms nobody."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from zoo.component import PLUGIN_API, Component
from zoo.registry import hookspecs
from zoo.registry.points import narrowed, origin
from zoo.registry.slow import PATIENCE, named_when_slow

HEAVY = ("torch", "timm", "transformers", "torchvision", "torchaudio")
"""Libraries that a plugin must not import while it declares: each costs seconds of every verb."""

_HERE, _PLUGGY = str(Path(__file__).parent), str(Path(pluggy.__file__).parent)
ALSO = "is also claimed by"
_NAMESPACE = re.compile(r"[a-z][a-z0-9_-]*")


class Stage(StrEnum):
    """Where a plugin broke."""

    NAMESPACE = "namespace"
    IMPORT = "import"
    API = "api"
    REGISTER = "register"
    COMPONENTS = "components"
    INDEX = "index"
    COMMANDS = "commands"


@dataclass(eq=False)
class Plugin:
    """An installed plugin: the namespace it owns, the distribution it came with, and what its declaring cost so far.

    `seconds` is what every verb pays for it, `heavy` the libraries that it imported and should not have.
    """

    name: str
    distribution: str
    version: str
    module: Any = None
    seconds: float = 0.0
    heavy: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Broken:
    """A plugin in quarantine: who, at which stage, why. It costs nobody else anything."""

    plugin: str
    distribution: str
    version: str
    stage: Stage
    error: str
    where: str = ""
    trace: str = field(default="", repr=False, compare=False)

    @property
    def advice(self) -> str:
        """What would mend it."""
        if self.distribution == "?":
            return "set ZOO_PLUGINS to installed plugins, or unset it; `zoo plugins` lists them"
        if self.stage is Stage.NAMESPACE:
            meant = f"{self.distribution}:{self.plugin}"
            other = f"name the one that is meant in ZOO_PLUGINS (`{meant}`), or " if ALSO in self.error else ""
            return f"{other}uninstall one of the distributions: pip uninstall {self.distribution}"
        if self.stage is Stage.API:
            return f"pip install -U zoo {self.distribution}"
        if self.stage is Stage.INDEX:
            return f"make it anew: zoo plugins refresh {self.plugin}"
        if missing := re.match(r"ModuleNotFoundError: No module named '(\w+)", self.error):
            return f"install what it needs (the module `{missing[1]}`), or remove it: pip uninstall {self.distribution}"
        where = f" ({self.where})" if self.where else ""
        told = f"if it is yours, `zoo --debug plugins doctor` shows the traceback{where}"
        return f"{told}; else update it, or remove it: pip uninstall {self.distribution}"

    def __str__(self) -> str:
        return f"plugin `{self.plugin}` ({self.distribution} {self.version}) is broken at {self.stage}: {self.error}"


class Loader:
    """Loads plugins one by one. `plugins` are the good ones by namespace, `broken` the others.

    Args:
        found: Entry points to load; None takes the installed ones of group `zoo`, narrowed by `ZOO_PLUGINS`.
    """

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.broken: list[Broken] = []
        self.left_out: tuple[str, ...] = ()
        self._manager = pluggy.PluginManager("zoo")
        self._manager.add_hookspecs(hookspecs)
        points = list(entry_points(group="zoo") if found is None else found)
        if found is None:
            points = self._narrowed(points, os.environ.get("ZOO_PLUGINS"))
        for point in self._without_clashes(points):
            self._load(point)

    def components(self, plugin: Plugin) -> list[Component]:
        """What a plugin declares; empty, and the plugin quarantined, when that fails or is not well formed."""
        declared: list[Component] = []
        self._run(plugin, Stage.COMPONENTS, lambda: declared.extend(self._declared(plugin)))
        return declared

    def add_commands(self, cli: Any, taken: Collection[str] = ()) -> None:
        """Lets every plugin add commands to a click group; one that fails is quarantined, its commands taken back.

        Args:
            cli: The group.
            taken: Names that no plugin may use, beside those already in the group.
        """
        for plugin in list(self.plugins.values()):
            before = dict(cli.commands)
            if not self._run(plugin, Stage.COMMANDS, partial(self._add_commands, plugin, cli, taken)):
                cli.commands = before

    def quarantine(self, plugin: Plugin, stage: Stage, error: str) -> None:
        """Puts a plugin among the broken ones."""
        where, trace = _trace(sys.exc_info()[1])
        self.broken.append(Broken(plugin.name, plugin.distribution, plugin.version, stage, error, where, trace))
        if self.plugins.get(plugin.name) is plugin:
            del self.plugins[plugin.name]

    def _narrowed(self, points: list[EntryPoint], wanted: str | None) -> list[EntryPoint]:
        """The entry points that `ZOO_PLUGINS` names; a name that is not installed is reported, not passed over."""
        if wanted is None:
            return points
        kept, missing = narrowed(points, wanted)
        for name in missing:
            reason = "named in ZOO_PLUGINS, but no installed distribution has this plugin"
            self.quarantine(Plugin(name, "?", "?"), Stage.NAMESPACE, reason)
        self.left_out = tuple(sorted({point.name for point in points} - {point.name for point in kept}))
        return kept

    def _without_clashes(self, points: list[EntryPoint]) -> Iterator[EntryPoint]:
        """The entry points in loading order: zoo's own first, then the rest by name.

        Of several claims to one namespace zoo's own wins; between outsiders nobody does, since either could be meant.
        """
        claims: dict[str, list[EntryPoint]] = {}
        for point in sorted(points, key=lambda point: (origin(point)[0] != "zoo", point.name, origin(point))):
            claims.setdefault(point.name, []).append(point)
        for name, claimants in claims.items():
            winner = claimants[0] if len(claimants) == 1 or origin(claimants[0])[0] == "zoo" else None
            names = [" ".join(origin(point)) for point in claimants]
            for point in claimants:
                others = " and ".join(other for other in names if other != " ".join(origin(point))) or "itself, twice"
                if point is winner:
                    yield point
                    continue
                told = f"belongs to {names[0]}" if winner is not None else f"{ALSO} {others}"
                self.quarantine(_plugin(point), Stage.NAMESPACE, f"the namespace `{name}` {told}")

    def _load(self, point: EntryPoint) -> None:
        """Imports and registers one plugin, noting the stage it fails at."""
        plugin = _plugin(point)
        steps: list[tuple[Stage, Callable[[], object]]] = [
            (Stage.NAMESPACE, lambda: _check_namespace(point.name)),
            (Stage.IMPORT, lambda: setattr(plugin, "module", _imported(point))),
            (Stage.API, lambda: _check_api(plugin.module)),
            (Stage.REGISTER, lambda: self._register(plugin)),
        ]
        if all(self._run(plugin, stage, step) for stage, step in steps):
            self.plugins[plugin.name] = plugin

    def _register(self, plugin: Plugin) -> None:
        """Registers with pluggy, which checks signatures; a hook that no specification knows is a misspelling."""
        manager = self._manager
        try:
            manager.register(plugin.module, plugin.name)
            callers = manager.get_hookcallers(plugin.module) or []
            for caller in callers:
                if not caller.has_spec():
                    raise TypeError(f"there is no hook `{caller.name}`; the hooks are zoo_components and zoo_commands")
            manager.check_pending()
            if not callers:
                raise TypeError("it implements no hook; is @zoo.hookimpl missing on `zoo_components`?")
        except BaseException:
            if manager.has_plugin(plugin.name):
                manager.unregister(name=plugin.name)
            raise

    def _declared(self, plugin: Plugin) -> list[Component]:
        from zoo.registry.declared import well_formed

        hooks = {caller.name for caller in self._manager.get_hookcallers(plugin.module) or []}
        results = self._call(plugin, "zoo_components")
        if "zoo_components" in hooks and not results:
            raise TypeError("zoo_components gave None; is a `return` missing?")
        return well_formed(results)

    def _add_commands(self, plugin: Plugin, cli: Any, taken: Collection[str]) -> None:
        before = dict(cli.commands)
        self._call(plugin, "zoo_commands", cli=cli)
        touched = [name for name, command in before.items() if cli.commands.get(name) is not command]
        touched += [name for name in taken if name in cli.commands]
        if touched:
            raise ValueError(f"the verb `{touched[0]}` is not its own")

    def _call(self, plugin: Plugin, hook: str, **arguments: Any) -> list[Any]:
        """The result of this one plugin's implementation, as a list of none or one."""
        others = [other for other in self._manager.get_plugins() if other is not plugin.module]
        results: list[Any] = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results

    def _run(self, plugin: Plugin, stage: Stage, step: Callable[[], object]) -> bool:
        """Runs a plugin's code and tells whether it went well.

        Whatever it raises puts the plugin in quarantine. What it prints goes to stderr; what it costs is noted.
        """
        before, start = set(HEAVY) & set(sys.modules), time.perf_counter()
        try:
            with contextlib.redirect_stdout(sys.stderr), named_when_slow(_waiting(plugin, stage)):
                step()
            return True
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            told = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
            self.quarantine(plugin, stage, told)
            return False
        finally:
            plugin.seconds += time.perf_counter() - start
            plugin.heavy += tuple(name for name in HEAVY if name in sys.modules and name not in before)


def _trace(error: BaseException | None) -> tuple[str, str]:
    """File and line where an error arose, and its whole traceback; of none, two empty texts."""
    if error is None:
        return "", ""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not frame.filename.startswith(("<", _HERE, _PLUGGY))]
    where = f"{foreign[-1].filename}:{foreign[-1].lineno}" if foreign else ""
    return where, "".join(traceback.format_exception(error))


def _plugin(point: EntryPoint) -> Plugin:
    return Plugin(point.name, *origin(point))


def _waiting(plugin: Plugin, stage: Stage) -> str:
    told = f"plugin `{plugin.name}` ({plugin}) is at {stage} for {PATIENCE:.0f} s already"
    return f"note: {told}; Ctrl-C ends it, and ZOO_PLUGINS names the plugins to load instead of all"


def _check_namespace(name: str) -> None:
    if not _NAMESPACE.fullmatch(name):
        raise ValueError(f"`{name}` is no namespace: use a-z, 0-9, - and _")


def _imported(point: EntryPoint) -> Any:
    """What an entry point leads to; where it leads nowhere, that is told apart from a missing dependency."""
    if not EntryPoint.pattern.match(point.value):
        raise ValueError(f"its entry point `{point.value}` is not of the form module or module:attribute")
    try:
        module = point.load()
    except ModuleNotFoundError as error:
        if error.name and f"{point.module}.".startswith(f"{error.name}."):
            raise ImportError(f"its entry point `{point.value}` leads nowhere: {error}") from error
        raise
    if module is None:
        raise ImportError(f"its entry point `{point.value}` leads to None")
    return module


@cache
def installed_plugins() -> Loader:
    """The installed plugins, loaded once. Their components are not declared yet: `zoo --help` needs none."""
    return Loader()


def _check_api(module: Any) -> None:
    wanted = getattr(module, "ZOO_PLUGIN_API", PLUGIN_API)
    if wanted != PLUGIN_API:
        newer = isinstance(wanted, int) and wanted > PLUGIN_API
        advice = "pip install -U zoo" if newer else "look for a newer release of the plugin"
        raise RuntimeError(f"written for plugin API {wanted}; this zoo speaks {PLUGIN_API}: {advice}")
