"""Which columns of a table each part of a spec reads, and what makes up a cell."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from zoo.component import Modality
from zoo.document.fields import fields_of
from zoo.spec.sections import Head, Input, Spec


def part_columns(section: Input | Head) -> tuple[str, ...]:
    """Columns that make up the cell of an input or the label of a head, in order; none of a head without labels."""
    if section.column is not None:
        return (section.column,)
    return tuple(_option_columns(section.options))


def columns_of(spec: Spec, inputs: Collection[str], heads: Collection[str]) -> tuple[str, ...]:
    """Columns that these inputs and heads of a spec read, each once."""
    parts: list[Input | Head] = [spec.inputs[name] for name in spec.inputs if name in inputs]
    parts += [spec.heads[name] for name in spec.heads if name in heads]
    return tuple(dict.fromkeys(column for part in parts for column in part_columns(part)))


def sample_names(spec: Spec) -> list[str]:
    """What `zoo predict` calls the values of a sample: the inputs, and the columns of those that have several."""
    columns = {name: part_columns(section) for name, section in spec.inputs.items()}
    return [each for name, own in columns.items() for each in (own if len(own) > 1 else [name])]


def text_columns(spec: Spec) -> frozenset[str]:
    """Columns that an input reads as texts."""
    texts = (part for part in spec.inputs.values() if Modality.TEXT in part.registered.component.modality)
    return frozenset(column for part in texts for column in part_columns(part))


def cell_of(row: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """What a part reads of a row: the bare cell of one column, a mapping of several."""
    return row[columns[0]] if len(columns) == 1 else {column: row[column] for column in columns}


def is_missing(cell: Any) -> bool:
    """Whether there is nothing in a cell: null, or null in all that it is made of."""
    return all(each is None for each in cell.values()) if isinstance(cell, Mapping) else cell is None


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
