"""JSON Schema of all that a spec may say, the options of every installed component included, for editors."""

from dataclasses import is_dataclass
from typing import Any

from zoo.component import Kind
from zoo.document.check import json_schema
from zoo.document.fields import Field, fields_of, leaves, members, section_in, sections_under, shorthand_of
from zoo.registry.registry import Registered, Registry
from zoo.spec.checker import SHORT_KINDS
from zoo.spec.sections import Augment, Backbone, Part, SharedBackbone, Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema(registry: Registry) -> dict[str, Any]:
    """The schema of a spec, in the 2020-12 dialect, for the components of a registry.

    What stands in two places of the spec is one definition under `$defs`: a kind (`backbone`), a component's full name.
    """
    schema = _Writer(registry)
    root = schema.section(Spec, required=("inputs", "heads"))
    return {"$schema": DIALECT, "title": "zoo spec", **root, "$defs": schema.definitions}


class _Writer:
    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.definitions: dict[str, Any] = {}

    def section(self, cls: type, required: tuple[str, ...] | None = None) -> dict[str, Any]:
        """A mapping with the keys of a dataclass."""
        fields = fields_of(cls)
        needed = [name for name, field in fields.items() if field.required] if required is None else list(required)
        return _object({name: self.field(field) for name, field in fields.items()}, needed)

    def field(self, field: Field) -> dict[str, Any]:
        """What may stand under one key, in all its forms."""
        forms: list[dict[str, Any]] = []
        if section := section_in(field.hint):
            forms.append(self.form(section))
        if named := sections_under(field.hint, dict):
            pattern = dict(field.bounds).get("pattern", ".*")
            names = {"type": "string", "pattern": f"^(?:{pattern})$"}
            forms.append(
                {"type": "object", "additionalProperties": self.form(named), "propertyNames": names} | _least(field)
            )
        if several := sections_under(field.hint, list):
            one = self.form(several)
            forms += [one, {"type": "array", "items": one}]
        if leaves(field.hint):
            forms.append(_as_written(json_schema(field)))
        elif type(None) in members(field.hint):
            forms.append({"type": "null"})
        told = {"description": field.doc} if field.doc else {}
        if not field.required and not is_dataclass(field.default) and field.default is not None:
            told["default"] = field.default
        return {**(forms[0] if len(forms) == 1 else {"anyOf": forms}), **told}

    def form(self, cls: type) -> dict[str, Any]:
        """A section, in full or in short; one that names a component is defined once for its kind."""
        if issubclass(cls, Part):
            name = cls.kind.value
            if name not in self.definitions:
                self.definitions[name] = {}
                self.definitions[name] = self.part(cls)
            return {"$ref": f"#/$defs/{name}"}
        return {} if cls is Augment else self.short_or_full(cls)

    def short_or_full(self, cls: type) -> dict[str, Any]:
        """A mapping with the keys of a dataclass, or the value alone that its short form gives."""
        short = shorthand_of(cls)
        full = self.section(cls)
        return {"anyOf": [self.field(short), full]} if short else full

    def part(self, cls: type[Part]) -> dict[str, Any]:
        """A place for a component: the name alone where that is enough, or a mapping with the component's options.

        Which component it is decides by `if`, so that an editor tells the one wrong key and not all alternatives.
        """
        entries, selector = self.registry.components(cls.kind), fields_of(cls)[cls.selector]
        if not entries:
            return {"not": {}, "description": f"no plugin with a {cls.kind} is loaded"}
        names = {"anyOf": [self.name(entry) for entry in entries], "description": selector.doc}
        full: dict[str, Any] = {
            "type": "object",
            "properties": {cls.selector: names},
            **({"required": [cls.selector]} if selector.required else {}),
            "allOf": [self.case(cls, entry) for entry in entries],
        }
        if cls is Backbone:
            full = {"if": {"required": ["same_as"]}, "then": self.section(SharedBackbone), "else": full}
        return {"if": {"type": "string"}, "then": names, "else": full} if selector.shorthand else full

    def case(self, cls: type[Part], entry: Registered) -> dict[str, Any]:
        """What a mapping may hold if it selects the component, or leaves it to the default that the component is."""
        is_default = entry.name == fields_of(cls)[cls.selector].default
        chosen = {
            "properties": {cls.selector: self.name(entry)},
            **({} if is_default else {"required": [cls.selector]}),
        }
        return {"if": chosen, "then": self.component(cls, entry)}

    def component(self, cls: type[Part], entry: Registered) -> dict[str, Any]:
        """A mapping that selects one component: the language's keys for its kind, and its options."""
        core = {name: self.field(field) for name, field in fields_of(cls).items()}
        core[cls.selector] = self.name(entry)
        if entry.kind is Kind.INPUT:
            core["augment"] |= {"anyOf": [core["augment"]["anyOf"][-1], self.augmentations(entry)]}
        chosen = fields_of(entry.component.options)
        shorthand = shorthand_of(entry.component.options) if cls.kind is Kind.POLICY else None
        required = [name for name, field in fields_of(cls).items() if field.required]
        required += [name for name, field in chosen.items() if field.required and field is not shorthand]
        options = {name: self.field(field) for name, field in chosen.items()}
        return _object(core | options, list(dict.fromkeys(required)))

    def augmentations(self, entry: Registered) -> dict[str, Any]:
        """A list of augmentations of an input, or of a front end that takes what it gives."""
        fronts = self.registry.components(Kind.FRONTEND)
        owners = [entry, *(each for each in fronts if each.component.modality[0] in entry.component.modality)]
        known = {each.name: each for owner in owners for each in owner.component.augmentations}
        if not known:
            return {"type": "array", "maxItems": 0}
        alone = [{"const": name, "description": each.summary} for name, each in known.items()]
        full = _object({name: self.short_or_full(each.options) for name, each in known.items()}, [])
        return {"type": "array", "items": {"anyOf": [*alone, full | {"minProperties": 1, "maxProperties": 1}]}}

    def name(self, entry: Registered) -> dict[str, Any]:
        """The names that a component answers to: its own, its short one, or all of its family's."""
        short = entry.name.removeprefix("zoo/")
        names = [entry.name, *([short] if entry.kind in SHORT_KINDS and short != entry.name else [])]
        forms: list[dict[str, Any]] = [{"enum": names}]
        if family := entry.component.family:
            forms = [{"enum": [f"{entry.plugin.name}/{bare}" for bare in self.registry.members(entry)]}]
            forms += [{"pattern": f"^{entry.plugin.name}/{family.beyond}$"}] if family.beyond else []
        if entry.kind is Kind.POLICY and shorthand_of(entry.component.options):
            forms += [{"pattern": f"^(?:{'|'.join(names)}):.+$"}]
        named = {"type": "string", **(forms[0] if len(forms) == 1 else {"anyOf": forms})}
        if entry.component.family is None:
            return named | {"description": entry.component.summary}
        self.definitions[entry.name] = named | {"description": entry.component.summary}
        return {"$ref": f"#/$defs/{entry.name.replace('/', '~1')}"}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def _least(field: Field) -> dict[str, Any]:
    least = dict(field.bounds).get("min_length")
    return {"minProperties": least} if least else {}


def _as_written(schema: dict[str, Any], beside: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The schema with numbers and booleans let in where a text is wanted: zoo takes them letter by letter.

    Not where numbers or booleans are wanted as well: `beside` tells the types of the other alternatives.
    """
    if schema.get("type") == "string" and not {"enum", "const"} & set(schema):
        numbers = [] if beside & {"number", "integer"} else ["number"]
        return {**schema, "type": ["string", *numbers, *({"boolean"} - beside)]}
    loosened = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            loosened[key] = _as_written(schema[key])
    if "anyOf" in schema:
        types = frozenset(str(form.get("type")) for form in schema["anyOf"])
        loosened["anyOf"] = [_as_written(form, types) for form in schema["anyOf"]]
    return loosened
