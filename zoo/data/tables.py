"""Tables: rows of cells, from files, folders, the Hub, or memory."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from jaxtyping import Int
from numpy.typing import NDArray

from zoo.checkpoint.dataset import snapshot
from zoo.data.arrays import bits, floats, lists, texts, whole
from zoo.data.names import check_columns
from zoo.data.stored import Columns, InMemory, Renamed, place_of, stored_columns
from zoo.errors import UsageError, listed, nearest
from zoo.spec.coco import Coco
from zoo.spec.folders import ClassFolder, MetadataFolder
from zoo.spec.sources import Files, HubTable, Memory, TableSource, locate

ARRAYS: Mapping[str, Callable[[Sequence[Any]], pa.Array]] = {
    "image": texts,
    "audio": texts,
    "label": texts,
    "width": whole,
    "height": whole,
    "boxes": lists(lists(floats)),
    "labels": lists(texts),
    "crowd": lists(whole),
    "captions": lists(texts),
}
"""How cells of folders and of COCO's files become arrays."""


class Table(Protocol):
    """Rows of cells by column. Null and NaN are None. Worker processes take it along, so it holds no open file."""

    name: str
    """What messages call it."""

    folder: Path
    """Where relative paths in its cells start."""

    columns: Collection[str]
    """Columns that can be read."""

    def __len__(self) -> int:
        """How many rows it has."""

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Cells of some columns, by column, of the rows with these numbers, counted from 0."""

    def column(self, name: str) -> list[Any]:
        """All cells of a column."""

    def filled(self, name: str) -> NDArray[np.bool_]:
        """`(rows,)`: True where the column's cell is not null."""

    def place(self, row: int) -> str:
        """Where a row stands, for messages: "`train.csv`, line 17"."""


class ArrowTable:
    """Columns as Arrow has them, in memory or mapped: a cell becomes a Python object only when it is asked for.

    Args:
        name: What messages call it.
        folder: Where relative paths in its cells start.
        columns: Its columns.
        place: Where a row stands, for messages.
    """

    def __init__(self, name: str, folder: Path, columns: Columns, place: Callable[[int], str]) -> None:
        self.name, self.folder, self.place = name, folder, place
        self.columns: Collection[str] = tuple(columns.names)
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns)

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Cells of some columns, by column, of the rows with these numbers, counted from 0."""
        cells = [_taken(self._columns.column(name), numbers) for name in columns]
        return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]

    def arrow(self, name: str) -> pa.ChunkedArray:
        """All cells of a column, as Arrow has them."""
        return self._columns.column(name)

    def column(self, name: str) -> list[Any]:
        """All cells of a column."""
        return list(map(plain, self._columns.column(name).to_pylist()))

    def filled(self, name: str) -> NDArray[np.bool_]:
        """`(rows,)`: True where the column's cell is not null."""
        return np.concatenate([_filled(chunk) for chunk in self._columns.column(name).chunks])


@dataclass(frozen=True)
class Numbered:
    """Tells rows by a number.

    Args:
        name: What the table is called.
        what: What a row is: `row`, `image`.
        numbers: The number of each row; counted from 1 unless given.
    """

    name: str
    what: str
    numbers: Int[np.ndarray, "rows"] | None = None

    def __call__(self, row: int) -> str:
        """Where a row stands: "`train.json`, image 17"."""
        return f"`{self.name}`, {self.what} {row + 1 if self.numbers is None else self.numbers[row]}"


@dataclass(frozen=True)
class OfFile:
    """Tells rows by their files.

    Args:
        paths: The file of each row.
    """

    paths: pa.Array

    def __call__(self, row: int) -> str:
        """Where a row stands: "`pets/cat/17.png`"."""
        return f"`{self.paths[row]}`"


def open_table(
    name: str | Path,
    columns: Collection[str],
    texts: Collection[str] = (),
    *,
    folder: Path = Path(),
    given: Mapping[str, Table] | None = None,
) -> Table:
    """Opens a table.

    Args:
        name: Whatever `zoo.spec.sources.locate` takes.
        columns: Columns to read; no other is loaded.
        texts: Those of them that hold texts, even where every text in a CSV file looks like a number.
        folder: Where a relative path starts.
        given: Tables in memory, by the name behind `memory:`.

    Raises:
        UsageError: It is not there, is no table, is damaged, has no rows, or lacks a column.
        NetworkError: It is on the Hub, and cannot be fetched.
    """
    source = locate(name, folder)
    if isinstance(source, Memory):
        table = in_memory(source, given)
        if len(table):
            check_columns(source.name, columns, table.columns)
    else:
        table = _opened(snapshot(source) if isinstance(source, HubTable) else source, tuple(columns), texts)
    if not len(table):
        raise UsageError(f"`{table.name}` has no rows")
    return table


def header_of(name: str | Path, given: Mapping[str, Table] | None = None, folder: Path = Path()) -> Collection[str]:
    """The columns that a table has.

    Args:
        name: Whatever `zoo.spec.sources.locate` takes.
        given: Tables in memory.
        folder: Where a relative path starts.

    Raises:
        UsageError: It is not there, or cannot be read.
        NetworkError: It is on the Hub, and cannot be fetched.
    """
    source = locate(name, folder)
    if isinstance(source, Memory):
        return in_memory(source, given).columns
    return (snapshot(source) if isinstance(source, HubTable) else source).header() or ()


def in_memory(source: Memory, given: Mapping[str, Table] | None) -> Table:
    """A table that was given in Python.

    Raises:
        UsageError: None was given under this name.
    """
    known = given or {}
    if source.key in known:
        return known[source.key]
    guess = nearest(source.key, known)
    if not known:
        advice = f'it was in memory: give it in Python, tables={{"{source.key}": ...}}, or name a file instead'
    else:
        advice = f"did you mean `{guess}`?" if guess else f"`tables` has {listed(known)}"
    raise UsageError(f"there is no table `{source.name}`; {advice}")


def _opened(source: TableSource, columns: Sequence[str], texts: Collection[str]) -> ArrowTable:
    """A table of files, opened."""
    found = source.header() or ()
    if not (isinstance(source, Files) and source.paths[0].suffix.lower() == ".jsonl"):  # of which it tells but a few
        check_columns(source.name, columns, found)
    if isinstance(source, Files):
        stored = stored_columns(source.paths, columns, texts)
        return ArrowTable(source.name, source.folder, stored, partial(place_of, source.paths))
    if isinstance(source, MetadataFolder):
        called = {name: source.columns[name] for name in columns}
        read_as_text = [own for name, own in called.items() if name != own or name in texts]
        stored = Renamed(stored_columns([source.table], list(called.values()), read_as_text), called)
        return ArrowTable(source.name, source.folder, stored, partial(place_of, [source.table]))
    assert isinstance(source, (ClassFolder, Coco))
    cells = {name: pa.chunked_array([ARRAYS[name](source.cells[name])]) for name in columns}
    if isinstance(source, Coco):
        stored = InMemory(cells, len(source.ids))
        return ArrowTable(source.name, source.folder, stored, Numbered(source.name, "image", np.array(source.ids)))
    files = ARRAYS["image"](list(map(str, source.files())))
    return ArrowTable(source.name, source.folder, InMemory(cells, len(files)), OfFile(files))


def _filled(chunk: pa.Array) -> NDArray[np.bool_]:
    """Whether each cell has a value; a mapping, whether any of its fields has."""
    if pa.types.is_struct(chunk.type) and chunk.type.num_fields:
        fields: NDArray[np.bool_] = np.logical_or.reduce([_filled(field) for field in chunk.flatten()])
        return fields
    return ~bits(chunk.is_null(nan_is_null=True))  # Arrow's own `to_numpy` imports pandas


def _taken(column: pa.ChunkedArray, numbers: Sequence[int]) -> list[Any]:
    if column.num_chunks > 1:  # Arrow would join all chunks to take some cells of them
        return [plain(column[int(number)].as_py()) for number in numbers]
    return list(map(plain, column.take(numbers_array(numbers)).to_pylist()))


def numbers_array(numbers: Sequence[int] | NDArray[np.int64]) -> pa.Array:
    """Whole numbers as an Arrow array, without `pa.array`, which imports pandas."""
    wanted = np.ascontiguousarray(numbers, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(wanted), [None, pa.py_buffer(wanted)])


def plain(cell: Any) -> Any:
    """A cell as Python has it; NaN is null."""
    return None if isinstance(cell, float) and cell != cell else cell
