"""Tables: rows of cells, from files or from memory."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zoo.data.readers import (
    check_columns,
    line_of_row,
    parquet_length,
    read_csv,
    read_json_lines,
    read_parquet_column,
)
from zoo.errors import UsageError
from zoo.spec.files import header


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
    """Columns of a file, as Arrow has them in memory: a cell becomes a Python object only when it is asked for.

    Args:
        path: The file.
        columns: Columns that can be read.
        length: Number of rows.
        loaded: Columns that are in memory already. Those of a Parquet file come in when they are first used.
    """

    def __init__(
        self, path: Path, columns: Collection[str], length: int, loaded: Mapping[str, pa.ChunkedArray]
    ) -> None:
        self.path, self.name, self.folder = path, str(path), path.parent
        self.columns: Collection[str] = tuple(columns)
        self._length, self._loaded = length, dict(loaded)

    def __len__(self) -> int:
        return self._length

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Cells of some columns, by column, of the rows with these numbers, counted from 0."""
        cells = [_taken(self._arrow(name), numbers) for name in columns]
        return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]

    def column(self, name: str) -> list[Any]:
        """All cells of a column."""
        return list(map(_plain, self._arrow(name).to_pylist()))

    def filled(self, name: str) -> NDArray[np.bool_]:
        """`(rows,)`: True where the column's cell is not null."""
        return np.array([each for chunk in self._arrow(name).chunks for each in _filled(chunk)], dtype=np.bool_)

    def place(self, row: int) -> str:
        """Where a row stands: its line in a file of lines, else its number, counted from 1."""
        line = line_of_row(self.path, row)
        return f"`{self.name}`, " + (f"row {row + 1}" if line is None else f"line {line}")

    def _arrow(self, name: str) -> pa.ChunkedArray:
        if name not in self._loaded:
            self._loaded[name] = read_parquet_column(self.path, name)
        return self._loaded[name]


def open_table(path: Path, columns: Collection[str], texts: Collection[str] = ()) -> ArrowTable:
    """Opens a Parquet, CSV, TSV or JSON lines file.

    Args:
        path: The file.
        columns: Columns to read; no other is loaded.
        texts: Those of them that hold texts, even where every text in a CSV file looks like a number.

    Raises:
        UsageError: It is not there, is no table, is damaged, has no rows, or lacks a column.
    """
    found = header(path)
    if found is None:
        raise UsageError(f"`{path}` is a folder; name a table in it: .parquet, .csv, .tsv or .jsonl")
    kind, wanted = path.suffix.lower(), tuple(columns)
    if kind != ".jsonl":  # whose header tells the keys of its first lines alone
        check_columns(path, wanted, found)
    if kind == ".parquet":
        table = ArrowTable(path, wanted, parquet_length(path), {})
    else:
        parsed = read_json_lines(path, wanted) if kind == ".jsonl" else read_csv(path, wanted, texts)
        table = ArrowTable(path, wanted, len(parsed), dict(zip(wanted, parsed.columns, strict=True)))
    if not len(table):
        raise UsageError(f"`{path}` has no rows")
    return table


def _filled(chunk: pa.Array) -> list[bool]:
    """Whether each cell has a value; a mapping, whether any of its fields has."""
    if pa.types.is_struct(chunk.type) and chunk.type.num_fields:
        return [any(fields) for fields in zip(*map(_filled, chunk.flatten()), strict=True)]
    empty = chunk.is_null(nan_is_null=True)
    return [not each for each in empty.to_pylist()]  # Arrow's own `to_numpy` imports pandas


def _taken(column: pa.ChunkedArray, numbers: Sequence[int]) -> list[Any]:
    if column.num_chunks > 1:  # Arrow would join all chunks to take some cells of them
        return [_plain(column[int(number)].as_py()) for number in numbers]
    wanted = np.ascontiguousarray(numbers, np.int64)
    indices = pa.Array.from_buffers(pa.int64(), len(wanted), [None, pa.py_buffer(wanted)])  # `pa.array` imports pandas
    return list(map(_plain, column.take(indices).to_pylist()))


def _plain(cell: Any) -> Any:
    """A cell as Python has it; NaN is null."""
    return None if isinstance(cell, float) and cell != cell else cell
