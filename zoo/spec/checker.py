"""The spec against the language and the installed components: names resolved, options checked, columns filled in."""

from dataclasses import replace
from typing import Any

from zoo.component import RESERVED, Kind
from zoo.document.check import FAILED, Checker, under
from zoo.document.fields import Field, fields_of, section_in, shorthand_of
from zoo.document.nodes import Mapping, Node, Path, Scalar, at, dotted, found
from zoo.document.scalars import resolve
from zoo.errors import ZooError, listed, nearest
from zoo.registry.registry import Registered, Registry
from zoo.spec.augment import augmentations_at
from zoo.spec.cards import well_known, with_card
from zoo.spec.sections import Augment, Backbone, Head, Input, Part, SharedBackbone, Spec
from zoo.spec.weights import effective_weights, weight_problems

SHORT_KINDS = (Kind.INPUT, Kind.POLICY)
"""Kinds whose names may leave out the namespace `zoo/`: `type: image`, `policy: full`."""

TOWER = (Kind.INPUT, Kind.FRONTEND, Kind.BACKBONE)
"""Kinds whose options stand near each other, so that one is easily written at the other's place."""


class SpecChecker(Checker):
    """Checks a whole spec.

    `parts` holds, for the path of every component that was found, what it is and where; `columns` holds every column of
    the data that the spec reads, by the path of the key that names it; `started` holds the path of every part that may
    name weights.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__("the spec")
        self.registry = registry
        self.parts: dict[Path, tuple[Registered, Node]] = {}
        self.columns: dict[Path, str] = {}
        self.started: list[Path] = []

    def section(self, cls: type, node: Node, path: Path, at: Node) -> Any:
        """A section; where it names a component, the component's options are checked as its keys."""
        if cls is Backbone and isinstance(node, Mapping) and "same_as" in node:
            cls = SharedBackbone
        if issubclass(cls, Part):
            return self._part(cls, node, path, at)
        if cls is Augment:
            return self._augment(node, path)
        if cls is Spec and isinstance(node, Mapping):
            node = _with_implied(node)
        return super().section(cls, node, path, at)

    def elsewhere(self, key: str, path: Path) -> str:
        """Where the key is an option: of other components that could stand here, or in another section."""
        here = self.parts[path][0] if path in self.parts else None
        if here is not None:
            near = TOWER if here.kind in TOWER else (here.kind,)
            others = [entry for kind in near for entry in self.registry.components(kind)]
            others = [entry for entry in others if key in fields_of(entry.component.options)]
            others.sort(key=lambda entry: entry.kind is not here.kind)
            if others:
                first = others[0].kind
                names = listed([entry.name for entry in others if entry.kind is first], 3)
                return f"`{key}` is an option of {'' if first is here.kind else f'the {first} '}{names}"
            for kind in near:
                if key in RESERVED[kind] - RESERVED[here.kind]:
                    return f"`{key}` is a key of the {kind}"
        for name, field in fields_of(Spec).items():
            section = section_in(field.hint)
            if section and not issubclass(section, Part) and key in fields_of(section):
                return f"`{key}` belongs under `{name}`"
        return ""

    def plain_value(self, field: Field, node: Node, path: Path) -> Any:
        """A value without sections; where it names columns of the data, they are noted."""
        value = super().plain_value(field, node, path)
        if field.columns and isinstance(value, str):
            self.columns[path] = value
        elif field.columns and isinstance(value, list):
            self.columns |= {(*path, index): column for index, column in enumerate(value)}
        return value

    def _part(self, cls: type[Part], node: Node, path: Path, at: Node) -> Any:
        mapping = self.as_mapping(cls, node, path)
        if mapping is FAILED:
            return FAILED
        if "weights" in fields_of(cls):
            self.started.append(path)
        mapping, named = self._selected(cls, mapping)
        registered = self._resolve(cls, mapping, path, at)
        options_class = registered.component.options if registered else None
        if isinstance(named, Scalar) and registered:
            mapping = self._with_shorthand(mapping, registered, named, path)
        core = self.values(cls, mapping, path, at)
        if registered is None:
            return FAILED
        core[cls.selector] = registered.name
        owner = f"{registered.name} ({registered.plugin})"
        owners = dict.fromkeys(fields_of(cls), "") | dict.fromkeys(fields_of(options_class), owner)
        self.unknown_keys(mapping, path, owners)
        chosen = self.values(options_class, mapping, path, at, registered.name)
        if cls in (Input, Head):
            self._fill_column(core, mapping, path, options_class)
        if issubclass(cls, Backbone):
            self._settle_weights(core, mapping, path, registered)
        options = self.build(options_class, chosen, at, path, mapping) if options_class else None
        if options is FAILED:
            return FAILED
        return self.build(cls, core | {"registered": registered, "options": options}, at, path, mapping)

    def _augment(self, node: Node, path: Path) -> Any:
        """An augmentation of the input: its name alone, or a mapping of its name to its options."""
        known = augmentations_at(self.parts, path[:2])
        if known is None:
            return FAILED  # what input this is, nobody knows
        if not (isinstance(node, Mapping) and len(node.items) == 1) and not (isinstance(node, Scalar) and node.text):
            message = f"`{dotted(path)}`: expected a name or a mapping with one name, not {found(node)}"
            self.problem(node, path, message, hint=f"names: {listed(known)}; each is an item of its own")
            return FAILED
        key, value = next(node.pairs()) if isinstance(node, Mapping) else (node, _nothing(node))
        name = key.text
        if name not in known:
            message = f"unknown augmentation `{name}` of `{self.parts[path[:2]][0].name}`"
            guess = nearest(name, known)
            hint = "" if guess else f"it has {listed(known)}" if known else "it has none"
            self.problem(key, path, message, suggestion=guess, hint=hint)
            return FAILED
        owner, declared = known[name]
        here = (*path, name)
        mapping = self.as_mapping(declared.options, value, here)
        if mapping is FAILED:
            return FAILED
        self.origins[here] = node.origin
        owners = dict.fromkeys(fields_of(declared.options), f"{owner.name} ({owner.plugin})")
        self.unknown_keys(mapping, here, owners)
        chosen = self.values(declared.options, mapping, here, key, owner.name)
        options = self.build(declared.options, chosen, key, here, mapping)
        return FAILED if options is FAILED else Augment(name=name, declared=declared, options=options)

    def _selected(self, cls: type[Part], mapping: Mapping) -> tuple[Mapping, Node | None]:
        """The mapping with `last:2` split into the name it selects and the value for the shorthand option."""
        if cls.kind is not Kind.POLICY or cls.selector not in mapping:
            return mapping, None
        node = mapping.value(cls.selector)
        if not isinstance(node, Scalar) or ":" not in node.text:
            return mapping, None
        name, _, text = node.text.partition(":")
        selector = replace(node, text=name, value=name, length=len(name))
        column = node.column + len(name) + (1 if node.plain else 2)
        value = replace(node, text=text, value=resolve(text), column=column, length=max(1, len(text)))
        items = mapping.items | {cls.selector: (mapping.key(cls.selector), selector)}
        return replace(mapping, items=items), value

    def _with_shorthand(self, mapping: Mapping, registered: Registered, value: Scalar, path: Path) -> Mapping:
        """The mapping with the short form's value under the option that takes it."""
        short = shorthand_of(registered.component.options)
        if short is None:
            self.problem(value, path, f"`{registered.name}` takes no `:{value.text}`")
            return mapping
        if short.name in mapping:
            self.problem(value, path, f"`{short.name}` is given twice: as `:{value.text}` and as a key")
            return mapping
        return replace(mapping, items=mapping.items | under(short.name, value).items)

    def _resolve(self, cls: type[Part], mapping: Mapping, path: Path, at: Node) -> Registered | None:
        """The component that the selector names; None, with the problem noted, if there is none."""
        field = fields_of(cls)[cls.selector]
        if cls.selector not in mapping and field.required:
            return None
        node = mapping.value(cls.selector) if cls.selector in mapping else at
        name = field.default if cls.selector not in mapping else node.text if isinstance(node, Scalar) else None
        if not isinstance(name, str) or (isinstance(node, Scalar) and cls.selector in mapping and node.value is None):
            return None
        full = f"zoo/{name}" if cls.kind in SHORT_KINDS and "/" not in name else name
        try:
            registered = with_card(self.registry.resolve(full, cls.kind))
        except ZooError as error:
            told, suggestion = getattr(error, "message", str(error)), getattr(error, "suggestion", None)
            if cls.kind is Kind.BACKBONE:
                suggestion = well_known(name, suggestion)
            elif suggestion and full != name:
                suggestion = suggestion.removeprefix("zoo/")
            self.problem(node, (*path, cls.selector), told, suggestion=suggestion, exit_code=error.exit_code)
            return None
        self.parts[path] = (registered, node)
        return registered

    def _fill_column(self, core: dict[str, Any], mapping: Mapping, path: Path, options: type | None) -> None:
        """The column is the input's or head's own name, unless said, or unless an option names columns instead.

        A head that learns without labels has none.
        """
        if "unlabelled" in self.parts[path][0].component.provides:
            if at(mapping, ("column",)):
                message = f"`{self.parts[path][0].name}` learns without labels, so that it has no column"
                self.problem(mapping.key("column"), (*path, "column"), message)
            return
        several = [name for name, field in fields_of(options).items() if field.columns and at(mapping, (name,))]
        if several and at(mapping, ("column",)):
            message = f"both `column` and `{several[0]}` are given; keep one"
            self.problem(mapping.key("column"), (*path, "column"), message)
        elif core["column"] is None and not several:
            core["column"] = self.columns[*path, "column"] = str(path[-1])

    def _settle_weights(self, core: dict[str, Any], mapping: Mapping, path: Path, backbone: Registered) -> None:
        if core["weights"] is FAILED:
            return
        weights = effective_weights(core["weights"], mapping, backbone)
        if weights != core["weights"]:
            core["weights"], self.origins[*path, "weights"] = weights, f"default of {backbone.name}"
        self.problems += weight_problems(weights, mapping, path, backbone, self.parts[path][1])


def _nothing(node: Node) -> Mapping:
    """An empty mapping where a name stands alone."""
    return Mapping(source=node.source, line=node.line, column=node.column, length=node.length, items={})


def _with_implied(root: Mapping) -> Mapping:
    """The root with the parts that a silent spec still has: a policy and, for several inputs, a fusion."""
    empty = _nothing(root)
    implied = ["transfer"] if at(root, ("transfer",)) is None else []
    inputs = at(root, ("inputs",))
    if isinstance(inputs, Mapping) and len(inputs.items) > 1 and at(root, ("fusion",)) is None:
        implied.append("fusion")
    items = dict(root.items)
    for name in implied:
        items |= {name: under(name, empty).items[name]}
    return replace(root, items=items)
