"""Tables given in Python: frames, Arrow tables, data sets and lists of dicts. No library of theirs is imported."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Int
from numpy.typing import NDArray

from zoo.data.arrays import simple
from zoo.data.memory import Samples
from zoo.data.stored import OnDemand
from zoo.data.tables import ArrowTable, Numbered, numbers_array
from zoo.errors import UsageError, listed, nearest
from zoo.spec.sections import Spec
from zoo.spec.sources import MEMORY

TAKEN = "a pandas or polars frame, a pyarrow table, a datasets.Dataset, or a list of dicts"
AT_ONCE = 1024


class GivenTable(ArrowTable):
    """An Arrow table in memory, perhaps in another order.

    Args:
        name: What messages call it.
        cells: The table.
        order: Number of the Arrow row of each row; as they stand unless given.
    """

    def __init__(self, name: str, cells: pa.Table, order: Int[np.ndarray, "rows"] | None = None) -> None:
        columns = OnDemand(cells.column_names, len(cells), partial(_column, cells))
        super().__init__(name, Path(), columns, Numbered(name, "row"))
        self._order = order

    def __len__(self) -> int:
        return super().__len__() if self._order is None else len(self._order)

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Cells of some columns, by column, of the rows with these numbers, counted from 0."""
        return super().rows(numbers if self._order is None else self._order[np.asarray(numbers, int)], columns)

    def arrow(self, name: str) -> pa.ChunkedArray:
        """All cells of a column, as Arrow has them, in this order."""
        found = super().arrow(name)
        return found if self._order is None else found.take(numbers_array(self._order))

    def column(self, name: str) -> list[Any]:
        """All cells of a column."""
        return [row[name] for row in self.rows(range(len(self)), [name])]

    def filled(self, name: str) -> NDArray[np.bool_]:
        """`(rows,)`: True where the column's cell is not null."""
        found = super().filled(name)
        return found if self._order is None else found[self._order]

    def fingerprint(self) -> dict[str, Any]:
        """How many rows it has, and the SHA-256 of its cells."""
        return _fingerprint(self)


class GivenRows(Samples):
    """Rows as dicts, whose cells may be whatever an input takes: pictures, arrays.

    Args:
        name: What messages call them.
        rows: Column to cell; a column that a row leaves out is null.
    """

    def __init__(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(rows)
        self.name = name

    def place(self, row: int) -> str:
        """Which row it is, counted from 1."""
        return f"`{self.name}`, row {row + 1}"

    def fingerprint(self) -> dict[str, Any]:
        """How many rows there are, and the SHA-256 of their cells."""
        return _fingerprint(self)


Given = GivenTable | GivenRows


def with_tables(spec: Spec, tables: Mapping[str, Any] | None, further: Collection[str] = ()) -> Spec:
    """The spec with tables in memory.

    Args:
        spec: A spec, which calls them `memory:NAME`.
        tables: Name to table, in any of the forms that `given_table` takes.
        further: What is called so outside the spec.

    Raises:
        UsageError: One is of another form, or nothing is called by its name.
    """
    if tables is None:
        return spec
    data = spec.data
    named = [*(table.path for table in data.train), data.validation, data.test, *further]
    wanted = {each.removeprefix(MEMORY) for each in named if isinstance(each, str) and each.startswith(MEMORY)}
    for name in tables:
        if name not in wanted:
            guess = nearest(name, wanted)
            advice = f"did you mean `{guess}`?" if guess else f"write `{MEMORY}{name}` where a table is named"
            raise UsageError(f"`tables`: nothing is called `{MEMORY}{name}`; {advice}")
    return replace(spec, tables={name: given_table(name, each) for name, each in tables.items()})


def given_table(name: str, table: Any) -> Given:
    """A table in memory, as zoo reads it.

    Args:
        name: Its name.
        table: What has an Arrow C stream (frames of pandas and polars, tables of pyarrow), a `datasets.Dataset`, or a
            sequence of mappings of columns to cells.

    Raises:
        UsageError: It is none of these.
    """
    shown = MEMORY + name
    if isinstance(table, (GivenTable, GivenRows)):
        return table
    if isinstance(table, pa.Table):
        return GivenTable(shown, table)
    if hasattr(table, "__arrow_c_stream__"):
        return GivenTable(shown, pa.RecordBatchReader.from_stream(table).read_all())
    if type(table).__module__.partition(".")[0] == "datasets":
        return _of_dataset(shown, table)
    if isinstance(table, Sequence) and all(isinstance(row, Mapping) for row in table):
        return GivenRows(shown, table)
    raise UsageError(f"`tables`: `{name}` is {_article(table)}; give {TAKEN}")


def _of_dataset(name: str, dataset: Any) -> GivenTable:
    """A `datasets.Dataset`, which keeps its cells as an Arrow table and, once shuffled or selected, an order beside."""
    cells = getattr(getattr(dataset, "data", None), "table", None)
    if not isinstance(cells, pa.Table):
        splits = listed(dataset) if isinstance(dataset, Mapping) else ""
        hint = f"give one of its splits: {splits}" if splits else "a stream has no rows to choose from: save it first"
        raise UsageError(f"`tables`: `{name.removeprefix(MEMORY)}` is {_article(dataset)}; {hint}")
    indices = dataset._indices
    if indices is None:
        return GivenTable(name, cells)
    chunks = [each.cast(pa.int64()) for each in indices.column(0).chunks]
    order = [np.frombuffer(each.buffers()[1], np.int64)[each.offset :][: len(each)] for each in chunks]
    return GivenTable(name, cells, np.concatenate([*order, np.zeros(0, np.int64)]))


def _column(cells: pa.Table, name: str) -> pa.ChunkedArray:
    return simple(cells.column(name))


def _fingerprint(table: Given) -> dict[str, Any]:
    columns = sorted(table.columns)
    digest = hashlib.sha256(repr(columns).encode())
    for start in range(0, len(table), AT_ONCE):
        for row in table.rows(range(start, min(start + AT_ONCE, len(table))), columns):
            for name in columns:
                _feed(digest, row[name])
    return {"rows": len(table), "sha256": digest.hexdigest()}


def _feed(digest: Any, cell: Any) -> None:
    """Puts a cell into a digest; pictures, arrays and tensors with their values, which their `repr` leaves out."""
    if isinstance(cell, Mapping):
        for key in sorted(cell):
            digest.update(repr(key).encode())
            _feed(digest, cell[key])
    elif isinstance(cell, (list, tuple)):
        digest.update(b"[%d]" % len(cell))
        for each in cell:
            _feed(digest, each)
    elif isinstance(cell, bytes):
        digest.update(b"%d:" % len(cell) + cell)
    elif hasattr(cell, "__array__") or hasattr(cell, "__array_interface__"):
        values = np.ascontiguousarray(cell)
        digest.update(f"{values.dtype}{values.shape}".encode() + values.tobytes())
    else:
        digest.update(f"{type(cell).__name__} {cell!r};".encode())


def _article(value: Any) -> str:
    return f"of type {type(value).__module__.partition('.')[0]}.{type(value).__name__}"
