"""Which columns of a table go along with its predictions, and what they are called there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoo.data.stream import Chunk, Stream
from zoo.errors import UsageError

LONG = 32
"""Entries of a list, on average, above which a column of lists is left out unless it is asked for."""

CLASH = "table."
"""What stands before the name of a column of the table that is called like a column of predictions."""


@dataclass(frozen=True)
class Kept:
    """Columns of a table that are kept.

    Args:
        columns: Their names in the table.
        fields: Their names and types beside predictions.
        left_out: Those that nobody chose and that are heavy.
    """

    columns: tuple[str, ...]
    fields: tuple[pa.Field, ...]
    left_out: tuple[str, ...] = ()

    def arrays(self, chunk: Chunk) -> list[pa.ChunkedArray]:
        """Their cells."""
        return [chunk.table.column(name) for name in self.columns]


def kept_columns(stream: Stream, chosen: str | Sequence[str], taken: Collection[str]) -> Kept:
    """The columns to keep.

    A column that is called like one of predictions is kept as `table.<name>`.

    Args:
        stream: The table.
        chosen: `light`, all but embedded files, long lists and what a file cannot hold; `all`; `none`; or names.
        taken: Names of the columns of predictions.

    Raises:
        UsageError: There is no such column, or it cannot be kept.
    """
    names = stream.schema.names
    if isinstance(chosen, str) and chosen not in ("light", "all", "none"):
        raise ValueError(f"columns: {chosen!r} is none of `light`, `all`, `none`, and no list of names")
    heavy = [*(name for name in names if _is_heavy(stream, name)), *stream.mixed]
    if chosen == "light":
        kept = [name for name in names if name not in heavy]
        return Kept(tuple(kept), _fields(stream.schema, kept, taken), tuple(heavy))
    if isinstance(chosen, str):
        kept = [*names, *stream.mixed] if chosen == "all" else []
    else:
        kept = list(dict.fromkeys(chosen))
    stream.check(kept)
    for name in kept:
        if _is_empty(stream.schema.field(name).type):
            raise UsageError(f"`{stream.name}`: column `{name}`, of mappings without a key, cannot be kept")
    return Kept(tuple(kept), _fields(stream.schema, kept, taken))


def _fields(schema: pa.Schema, names: Sequence[str], taken: Collection[str]) -> tuple[pa.Field, ...]:
    """The fields under names that nothing else has."""
    used = {*taken, *(name for name in names if name not in taken)}
    fields = []
    for name in names:
        told = name
        while told in used and (told != name or name in taken):
            told = CLASH + told
        used.add(told)
        fields.append(pa.field(told, schema.field(name).type))
    return tuple(fields)


def _is_heavy(stream: Stream, name: str) -> bool:
    kind = stream.schema.field(name).type
    return holds_bytes(kind) or not _is_plain(kind) or stream.lengths.get(name, 0) > LONG


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether there are bytes in cells of a type."""
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
    return any(is_one(kind) for is_one in binary) or any(map(holds_bytes, _inner(kind)))


def _is_plain(kind: pa.DataType) -> bool:
    """Whether every kind of file can hold cells of a type: no maps, unions or mappings without keys in them."""
    if pa.types.is_map(kind) or pa.types.is_union(kind) or _is_empty(kind):
        return False
    return all(map(_is_plain, _inner(kind)))


def _is_empty(kind: pa.DataType) -> bool:
    """Whether there are mappings without any key in cells of a type."""
    return (pa.types.is_struct(kind) and not kind.num_fields) or any(map(_is_empty, _inner(kind)))


def _inner(kind: Any) -> list[pa.DataType]:
    """The types within a type."""
    if pa.types.is_dictionary(kind):
        return [kind.value_type]
    return [kind.field(each).type for each in range(kind.num_fields)]
