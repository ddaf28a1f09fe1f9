"""Option dataclasses as the checker, the schema and the docs see them: fields with types, defaults, bounds, words."""

import dataclasses
import types
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Field:
    """One key that a mapping may hold. `hint` is its type; `default` is `MISSING` where the key must be given."""

    name: str
    hint: Any
    default: Any
    doc: str
    unit: str
    bounds: tuple[tuple[str, Any], ...]
    shorthand: bool
    columns: bool
    only_random: bool

    @property
    def required(self) -> bool:
        """Whether the key must be given."""
        return self.default is MISSING


def fields_of(cls: type | None) -> dict[str, Field]:
    """The keys that a dataclass declares, in order, without its internal fields; none for None."""
    return {} if cls is None else _declared(cls)


@cache
def _declared(cls: Any) -> dict[str, Field]:
    hints = get_type_hints(cls, include_extras=True)
    public = (field for field in dataclasses.fields(cls) if not field.metadata.get("internal"))
    return {field.name: _field(field, hints[field.name]) for field in public}


def internal(default: Any = MISSING) -> Any:
    """A dataclass field that no text can set, and that does not count when two instances are compared."""
    return dataclasses.field(default=default, repr=False, compare=False, metadata={"internal": True})


def _field(field: "dataclasses.Field[Any]", hint: Any) -> Field:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    known = field.metadata
    return Field(
        name=field.name,
        hint=hint,
        default=default,
        doc=known.get("doc", ""),
        unit=known.get("unit", ""),
        bounds=tuple(known.get("bounds", {}).items()),
        shorthand=known.get("shorthand", False),
        columns=known.get("columns", False),
        only_random=known.get("only_random", False),
    )


def shorthand_of(cls: type | None) -> Field | None:
    """The field that a short form gives its value to."""
    return next((field for field in fields_of(cls).values() if field.shorthand), None)


def members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union; a type that is none is its own only one."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def section_in(hint: Any) -> type | None:
    """The dataclass among the alternatives, or None."""
    return next((member for member in members(hint) if dataclasses.is_dataclass(member)), None)  # type: ignore[return-value]  # members are types


def sections_under(hint: Any, container: type) -> type | None:
    """`T` when an alternative is `list[T]` or `dict[str, T]`, as `container` says, with a dataclass `T`."""
    for member in members(hint):
        if get_origin(member) is container and dataclasses.is_dataclass(get_args(member)[-1]):
            section: type = get_args(member)[-1]
            return section
    return None


def leaves(hint: Any) -> Any:
    """The hint without its dataclasses and containers of them: what a plain value may be. None if nothing is left."""
    kept = tuple(member for member in members(hint) if not _holds_section(member))
    return Union[kept] if kept and kept != (type(None),) else None  # noqa: UP007  # built from a tuple


def _holds_section(member: Any) -> bool:
    return dataclasses.is_dataclass(member) or any(map(dataclasses.is_dataclass, get_args(member)))


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts", dict: "mappings"}
_BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


def describe(hint: Any, bounds: tuple[tuple[str, Any], ...] = (), unit: str = "") -> str:
    """A type in words: `a whole number, at least 1`; `a text or null`; `auto, fp32 or bf16`."""
    parts = list(dict.fromkeys(_alternatives(hint)))
    words = " or ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
    words += f" in {unit}" if unit else ""
    return ", ".join([words, *_limits(dict(bounds))])


def _limits(bounds: dict[str, Any]) -> list[str]:
    if "ge" in bounds and "le" in bounds:
        return [f"from {bounds['ge']} to {bounds['le']}"]
    told = [_BOUNDS[name].format(bound) for name, bound in bounds.items() if name in _BOUNDS]
    least = bounds.get("min_length", 0)
    return [*told, f"with at least {least}"] if least > 1 else told


def _alternatives(hint: Any) -> Iterator[str]:
    for member in members(hint):
        origin, arguments = get_origin(member), get_args(member)
        if origin is Literal:
            yield from (f"`{argument}`" for argument in arguments)
        elif origin is list:
            yield f"a list of {_PLURALS.get(arguments[0], 'values')}"
        elif origin is dict or member is dict or dataclasses.is_dataclass(member):
            yield "a mapping"
        else:
            yield _WORDS.get(member, "any value")
