"""Which columns of a table each part of a spec reads."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from zoo.document.fields import fields_of
from zoo.spec.sections import Head, Input


def part_columns(section: Input | Head) -> tuple[str, ...]:
    """Columns that make up the cell of an input or the label of a head, in order; none of a head without labels."""
    if section.column is not None:
        return (section.column,)
    return tuple(_option_columns(section.options))


def _option_columns(options: Any) -> Iterator[str]:
    """The columns that options name, also in options of options."""
    if options is None:
        return
    for name, field in fields_of(type(options)).items():
        value = getattr(options, name)
        if field.columns and isinstance(value, str):
            yield value
        elif field.columns and isinstance(value, (list, tuple)):
            yield from value
        elif is_dataclass(value):
            yield from _option_columns(value)
