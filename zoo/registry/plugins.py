"""Plugins from entry points: an own loop with one `try` per plugin and stage, so that a broken one harms nobody."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import cache, partial
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any, TypeVar

import pluggy

from zoo.component import PLUGIN_API, RESERVED, Component, Kind
from zoo.registry import hookspecs

HEAVY = ("torch", "timm", "transformers", "torchvision", "torchaudio")
"""Libraries that a plugin must not import while it declares: each costs seconds of every verb."""

_NAMESPACE = re.compile(r"[a-z][a-z0-9_-]*")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)*|\*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*")
Result = TypeVar("Result")


class Stage(StrEnum):
    """Where a plugin broke."""

    NAMESPACE = "namespace"
    IMPORT = "import"
    API = "api"
    REGISTER = "register"
    COMPONENTS = "components"
    COMMANDS = "commands"


@dataclass(frozen=True)
class Plugin:
    """An installed plugin: the namespace it owns, the distribution it came with, and what declaring cost."""

    name: str
    distribution: str
    version: str
    module: Any
    seconds: float
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

    @property
    def advice(self) -> str:
        """What would mend it."""
        if self.distribution == "?":
            return "set ZOO_PLUGINS to installed plugins, or unset it; `zoo plugins` lists them"
        if self.stage is Stage.NAMESPACE:
            return f"uninstall one of the distributions: pip uninstall {self.distribution}"
        if missing := re.match(r"ModuleNotFoundError: No module named '(\w+)", self.error):
            return f"install what it needs (the module `{missing[1]}`), or remove it: pip uninstall {self.distribution}"
        return f"update it or tell its author, or remove it: pip uninstall {self.distribution}"

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
        return self._stage(plugin, Stage.COMPONENTS, lambda: _checked(self._call(plugin, "zoo_components"))) or []

    def add_commands(self, cli: Any) -> None:
        """Lets every plugin add commands to a click group; one that fails is quarantined."""
        for plugin in list(self.plugins.values()):
            self._stage(plugin, Stage.COMMANDS, partial(self._call, plugin, "zoo_commands", cli=cli))

    def _narrowed(self, points: list[EntryPoint], wanted: str | None) -> list[EntryPoint]:
        """The entry points that `ZOO_PLUGINS` names; a name that is not installed is reported, not passed over."""
        if wanted is None:
            return points
        names = {name.strip() for name in wanted.split(",") if name.strip()}
        for missing in sorted(names - {point.name for point in points}):
            reason = "named in ZOO_PLUGINS, but no installed distribution has this plugin"
            self.broken.append(Broken(missing, "?", "?", Stage.NAMESPACE, reason))
        self.left_out = tuple(sorted({point.name for point in points} - names))
        return [point for point in points if point.name in names]

    def _without_clashes(self, points: list[EntryPoint]) -> Iterator[EntryPoint]:
        """The entry points in loading order: zoo's own first, then the rest by name.

        Of several claims to one namespace zoo's own wins; between outsiders nobody does, since either could be meant.
        """
        claims: dict[str, list[EntryPoint]] = {}
        for point in sorted(points, key=lambda point: (_origin(point)[0] != "zoo", point.name, _origin(point))):
            claims.setdefault(point.name, []).append(point)
        for name, claimants in claims.items():
            winner = claimants[0] if len(claimants) == 1 or _origin(claimants[0])[0] == "zoo" else None
            names = [" ".join(_origin(point)) for point in claimants]
            for point in claimants:
                others = " and ".join(other for other in names if other != " ".join(_origin(point))) or "itself, twice"
                if point is winner:
                    yield point
                elif winner is not None:
                    self._quarantine(point, Stage.NAMESPACE, f"the namespace `{name}` belongs to {names[0]}")
                else:
                    self._quarantine(point, Stage.NAMESPACE, f"the namespace `{name}` is also claimed by {others}")

    def _load(self, point: EntryPoint) -> None:
        """Imports and registers one plugin, noting the stage it fails at."""
        if not _NAMESPACE.fullmatch(point.name):
            self._quarantine(point, Stage.NAMESPACE, f"`{point.name}` is no namespace: use a-z, 0-9, - and _")
            return
        plugin = Plugin(point.name, *_origin(point), module=None, seconds=0.0)
        before, start = set(sys.modules), time.perf_counter()
        module = self._stage(plugin, Stage.IMPORT, point.load)
        seconds = time.perf_counter() - start
        if module is None:
            return
        heavy = tuple(name for name in HEAVY if name in sys.modules and name not in before)
        plugin = Plugin(point.name, *_origin(point), module=module, seconds=seconds, heavy=heavy)
        ours = self._stage(plugin, Stage.API, lambda: _speaks_our_api(module))
        if ours and self._stage(plugin, Stage.REGISTER, lambda: self._register(plugin)):
            self.plugins[plugin.name] = plugin

    def _register(self, plugin: Plugin) -> bool:
        """Registers with pluggy, which checks signatures; a hook that no specification knows is a misspelling."""
        manager = self._manager
        try:
            manager.register(plugin.module, plugin.name)
            manager.check_pending()
            if not manager.get_hookcallers(plugin.module):
                raise TypeError("it implements no hook; is @zoo.hookimpl missing on `zoo_components`?")
        except BaseException:
            if manager.has_plugin(plugin.name):
                manager.unregister(name=plugin.name)
            raise
        return True

    def _call(self, plugin: Plugin, hook: str, **arguments: Any) -> list[Any]:
        """The result of this one plugin's implementation, as a list of none or one."""
        others = [other for other in self._manager.get_plugins() if other is not plugin.module]
        results: list[Any] = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results

    def _stage(self, plugin: Plugin, stage: Stage, work: Callable[[], Result]) -> Result | None:
        """Runs a plugin's code. Whatever it raises puts the plugin in quarantine; what it prints goes to stderr."""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return work()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            told = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
            self.broken.append(Broken(plugin.name, plugin.distribution, plugin.version, stage, told))
            self.plugins.pop(plugin.name, None)
            return None

    def _quarantine(self, point: EntryPoint, stage: Stage, error: str) -> None:
        self.broken.append(Broken(point.name, *_origin(point), stage, error))


def _origin(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that an entry point came with."""
    return _identity(point.dist) if point.dist else ("unknown", "?")


@cache
def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version; reading them parses the metadata anew each time."""
    return distribution.name, distribution.version


@cache
def installed_plugins() -> Loader:
    """The installed plugins, loaded once. Their components are not declared yet: `zoo --help` needs none."""
    return Loader()


def _speaks_our_api(module: Any) -> bool:
    wanted = getattr(module, "ZOO_PLUGIN_API", PLUGIN_API)
    if wanted != PLUGIN_API:
        newer = isinstance(wanted, int) and wanted > PLUGIN_API
        advice = "pip install -U zoo" if newer else "look for a newer release of the plugin"
        raise RuntimeError(f"written for plugin API {wanted}; this zoo speaks {PLUGIN_API}: {advice}")
    return True


def _checked(results: list[Any]) -> list[Component]:
    """The declared components, refused whole when one is not well formed."""
    declared = [component for result in results for component in result]
    names: set[str] = set()
    for component in declared:
        if not isinstance(component, Component):
            raise TypeError(f"zoo_components gave {component!r}, which is no zoo.Component")
        _check_component(component)
        if component.name in names:
            raise ValueError(f"the component `{component.name}` is declared twice")
        names.add(component.name)
    return declared


def _check_component(component: Component) -> None:
    name = component.name
    if component.kind not in set(Kind):
        raise ValueError(f"`{name}`: `{component.kind}` is no kind; the kinds are {', '.join(Kind)}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"`{name}` is no component name")
    if not _TARGET.fullmatch(component.target):
        raise ValueError(f"`{name}`: the target `{component.target}` is not of the form module:attribute")
    if (name == "*") != (component.family is not None):
        raise ValueError(f"`{name}`: a family, and nothing else, has the name `*`")
    if component.options is not None and not is_dataclass(component.options):
        raise TypeError(f"`{name}`: options must be a dataclass, not {component.options!r}")
    taken = RESERVED[component.kind] & set(getattr(component.options, "__dataclass_fields__", {}))
    if taken:
        raise ValueError(f"`{name}`: the option `{min(taken)}` is a key of the language for every {component.kind}")
