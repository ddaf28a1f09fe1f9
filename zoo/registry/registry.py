"""Looks components up by their full names, and says why when there is nothing to be had."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from zoo.component import Component, Kind
from zoo.errors import PluginError, UnknownName, UsageError, listed, nearest
from zoo.registry.declared import well_formed
from zoo.registry.index import Index
from zoo.registry.plugins import Broken, Loader, Plugin, Stage, installed_plugins

UNPACKAGED = Plugin("local", "unpackaged", "0")
"""Where components come from that no distribution brings; a model with one cannot be shared."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A component under its full name, with the plugin it came from and, of a family, its record in the index."""

    name: str
    component: Component
    plugin: Plugin
    record: dict[str, Any] = field(default_factory=dict, compare=False)
    family_pretrained: bool = field(default=False, compare=False)

    @property
    def kind(self) -> Kind:
        """The place it fills."""
        return self.component.kind

    @property
    def pretrained(self) -> bool:
        """Whether it comes with pretrained weights."""
        return "pretrained" in self.component.provides

    @property
    def expects_weights(self) -> bool:
        """Whether its family comes with pretrained weights, so that one without them is a surprise."""
        return self.family_pretrained and not self.pretrained


class Registry:
    """All components of the installed plugins. Plugins are imported at once, their components declared at first use.

    Args:
        loader: Plugins to take the components from; the installed ones unless given.
        unpackaged: Further components, such as a notebook tries out, in the namespace `local/`. A target in the
            notebook itself is `__main__:build`.

    Raises:
        UsageError: An unpackaged component is not well formed.
    """

    def __init__(self, loader: Loader | None = None, unpackaged: Iterable[Component] = ()) -> None:
        self._loader = loader or installed_plugins()
        try:
            self._unpackaged = well_formed([unpackaged])
        except (TypeError, ValueError) as error:
            raise UsageError(str(error)) from None
        self._indexes: dict[str, Index] = {}

    @property
    def plugins(self) -> list[Plugin]:
        """The plugins that work."""
        self._components  # noqa: B018  # declaring is what breaks some of them
        return list(self._loader.plugins.values())

    @property
    def broken(self) -> list[Broken]:
        """The plugins that do not, with stage and reason."""
        self._components  # noqa: B018
        return list(self._loader.broken)

    @cached_property
    def _components(self) -> dict[str, Registered]:
        found: dict[str, Registered] = {}
        for plugin in list(self._loader.plugins.values()):
            for component in self._loader.components(plugin):
                name = f"{plugin.name}/{component.name}"
                found[name] = Registered(name, component, plugin)
        for component in self._unpackaged:
            name = f"{UNPACKAGED.name}/{component.name}"
            found[name] = Registered(name, component, UNPACKAGED)
        return found

    def components(self, kind: Kind | None = None) -> list[Registered]:
        """What is declared, families as one entry named `timm/*`, in the order of kinds and names."""
        order = list(Kind)
        chosen = (entry for entry in self._components.values() if kind in (None, entry.kind))
        return sorted(chosen, key=lambda entry: (order.index(entry.kind), entry.name))

    def everything(self, kind: Kind | None = None) -> Iterator[Registered]:
        """What can be named, members of families one by one."""
        for entry in self.components(kind):
            if entry.component.family is None:
                yield entry
            else:
                yield from (self._member(entry, name) for name in self.members(entry))

    def index(self, entry: Registered) -> Index:
        """The index of a family."""
        assert entry.component.family is not None
        name = entry.plugin.name
        if name not in self._indexes:
            self._indexes[name] = Index(name, entry.component.family)
        return self._indexes[name]

    def members(self, entry: Registered) -> dict[str, dict[str, Any]]:
        """Name to record of a family's members; none, and the plugin quarantined, when its index cannot be read."""
        try:
            return self.index(entry).models
        except PluginError as error:
            if entry.plugin in self._loader.plugins.values():
                self._loader.quarantine(entry.plugin, Stage.INDEX, str(error))
            for name in [name for name, other in self._components.items() if other.plugin is entry.plugin]:
                del self._components[name]
            return {}

    def stale(self, entry: Registered) -> str:
        """What is to be done about a family's index; "" when nothing is."""
        try:
            return self.index(entry).stale
        except PluginError as error:
            return f"{error}: run `zoo plugins refresh {entry.plugin.name}`"

    def inspect(self) -> None:
        """Reads every index, so that `plugins` and `broken` are what they will be when all is used."""
        for entry in self.components():
            if entry.component.family is not None:
                self.members(entry)

    def names(self, kind: Kind | None = None) -> list[str]:
        """Full names of everything that can be named."""
        return [entry.name for entry in self.everything(kind)]

    def resolve(self, name: str, kind: Kind | None = None) -> Registered:
        """The component of this full name.

        Args:
            name: `namespace/name`.
            kind: What it must be; None takes any kind.

        Raises:
            UnknownName: Nothing has the name, or it is of another kind.
            PluginError: The plugin that owns the namespace is broken or left out.
        """
        entry = None if name.endswith("/*") else self._components.get(name) or self._from_family(name)
        if entry is None:
            raise self._unknown(name, kind)
        if kind is not None and entry.kind is not kind:
            raise UnknownName(f"the {entry.kind} `{name}` stands where a {kind} belongs")
        return entry

    def _from_family(self, name: str) -> Registered | None:
        namespace, _, bare = name.partition("/")
        family = self._components.get(f"{namespace}/*")
        if family is None or not bare or bare == "*":
            return None
        declared = family.component.family
        assert declared is not None
        if bare in self.members(family):
            return self._member(family, bare)
        if declared.beyond and re.fullmatch(declared.beyond, bare):
            provides = family.component.provides | {"pretrained"}
            return Registered(name, replace(family.component, name=bare, provides=provides), family.plugin)
        return None

    def _member(self, family: Registered, bare: str) -> Registered:
        """One name of a family: what the family declares, narrowed by what the index knows."""
        record = self.members(family)[bare]
        modality = tuple(record["modality"].split("+")) if "modality" in record else family.component.modality
        summary = record.get("summary") or family.component.summary
        declared, provides = family.component.family, family.component.provides
        has_weights = "pretrained" in provides or bool(declared and declared.beyond)
        if "weights" not in record:
            provides -= {"pretrained"}
        component = replace(family.component, name=bare, modality=modality, summary=summary, provides=provides)
        return Registered(f"{family.plugin.name}/{bare}", component, family.plugin, record, has_weights)

    def _unknown(self, name: str, kind: Kind | None) -> UnknownName | PluginError:
        """Why there is nothing under the name: a broken or missing plugin, a stale index, or a misspelling."""
        namespace, slash, _ = name.partition("/")
        for broken in self.broken:
            if broken.plugin == namespace and namespace not in self._loader.plugins:
                return PluginError(f"`{name}` cannot be had: {broken}")
        if namespace in self._loader.left_out:
            return PluginError(f"`{name}` cannot be had: ZOO_PLUGINS leaves the plugin `{namespace}` out")
        what = kind or "component"
        if not slash:
            message = f"`{_short(name)}` is no full name: a {what} is written `namespace/name`"
            return UnknownName(message, self._by_bare_name(name, kind))
        spaces = {entry.partition("/")[0] for entry in self._components}
        if namespace not in spaces:
            message = f"unknown {what} `{_short(name)}`: no installed plugin has components in `{_short(namespace)}/`"
            message = f"{message} ({listed(spaces)})"
            guess = nearest(name, self._all_names(kind))
            return UnknownName(message, guess) if guess else PluginError(message)
        message = f"unknown {what} `{_short(name)}`"
        guess = self._by_bare_name(name.partition("/")[2], kind, namespace) or nearest(name, self._all_names(kind))
        if family := self._components.get(f"{namespace}/*"):
            message += f" ({self.stale(family)})" if self.stale(family) else ""
        elif guess is None:
            message += f"; `{namespace}` has {listed(self._all_names(kind, namespace))}"
        return UnknownName(message, guess)

    def _by_bare_name(self, bare: str, kind: Kind | None, namespace: str | None = None) -> str | None:
        """The full name whose part behind the namespace is nearest."""
        bares: dict[str, str] = {}
        for full in self._all_names(kind, namespace):
            bares.setdefault(full.partition("/")[2], full)
        near = nearest(bare, bares)
        return bares[near] if near else None

    def _all_names(self, kind: Kind | None, namespace: str | None = None) -> list[str]:
        names = self.names(kind)
        return names if namespace is None else [name for name in names if name.startswith(namespace + "/")]


def _short(name: str) -> str:
    return name if len(name) <= 80 else name[:77] + "..."


@cache
def installed() -> Registry:
    """The registry of this environment, made once."""
    return Registry()
