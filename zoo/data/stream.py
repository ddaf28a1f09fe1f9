"""A table read from its beginning to its end, a chunk of rows in memory at a time."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoo.data.csv_files import as_numbers, csv_problem, csv_rows
from zoo.data.json_files import json_object, json_rows
from zoo.data.names import check_columns
from zoo.data.tables import ArrowTable, Table, header_of, open_table
from zoo.errors import UsageError
from zoo.spec.headers import header
from zoo.spec.peek import NO_NUMBER
from zoo.spec.sources import Files, locate

CHUNK = 256
"""Most rows of a chunk."""

CHUNK_BYTES = 64 << 20
"""Most bytes of a chunk, as far as its file tells."""


@dataclass(frozen=True)
class Chunk:
    """Some rows that follow one another.

    Args:
        start: Number of the first one, from 0.
        table: Their cells.
        lines: On which line of the file each begins; None where it is not made of lines.
    """

    start: int
    table: pa.Table
    lines: Sequence[int] | None = None

    def cells(self, columns: Sequence[str]) -> list[dict[str, Any]]:
        """The cells of some columns, row by row; NaN is null."""
        rows = self.table.select(columns).to_pylist()
        return [{name: None if each != each else each for name, each in row.items()} for row in rows]


class Stream(ABC):
    """A table to read once.

    Args:
        name: What messages call it.
        folder: Where relative paths in its cells start.
    """

    schema: pa.Schema
    """Names and types of all its columns, the same in every chunk."""

    rows: int
    """How many rows it has."""

    lengths: Mapping[str, float]
    """Of columns of lists, how many entries a cell has on average."""

    chunk_rows: int = CHUNK
    """Rows of a chunk; the last has what is left."""

    mixed: Mapping[str, int] = {}
    """Columns whose cells differ in type, which are not in the schema, and the line on which that is seen."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    @property
    def count(self) -> int:
        """How many chunks it has."""
        return -(-self.rows // self.chunk_rows)

    def chunks(self, columns: Sequence[str], first: int = 0, last: int | None = None) -> Iterator[Chunk]:
        """Chunks from the first to the one before the last, with some columns.

        Raises:
            UsageError: They cannot be read.
        """
        start, stop = first * self.chunk_rows, self.rows
        return self._chunks(columns, start, stop if last is None else min(last * self.chunk_rows, stop))

    def check(self, columns: Collection[str]) -> None:
        """Looks whether columns are there and can be read.

        Raises:
            UsageError: One is not.
        """
        check_columns(self.name, columns, [*self.schema.names, *self.mixed])
        for name in columns:
            if name in self.mixed:
                raise UsageError(f"`{self.name}`, line {self.mixed[name]}, column `{name}`: cells differ in type")

    @abstractmethod
    def _chunks(self, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
        """Chunks of the rows from `start` to before `stop`."""


class TableStream(Stream):
    """A table that is open already: in memory, or mapped.

    Args:
        table: The table.
    """

    def __init__(self, table: Table) -> None:
        super().__init__(table.name, table.folder)
        self._cells = {name: _arrow(table, name) for name in table.columns}
        self.schema = pa.schema([(name, each.type) for name, each in self._cells.items()])
        self.rows = len(table)
        self.lengths = {name: _entries(each) / self.rows for name, each in self._cells.items()}
        bytes_of_row = sum(each.nbytes for each in self._cells.values()) / self.rows
        self.chunk_rows = max(1, min(CHUNK, int(CHUNK_BYTES / max(1.0, bytes_of_row))))

    def _chunks(self, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
        for first in range(start, stop, self.chunk_rows):
            length = min(self.chunk_rows, stop - first)
            cells = [self._cells[name].slice(first, length) for name in columns]
            yield Chunk(first, pa.table(cells, names=list(columns)))


class FileStream(Stream):
    """One file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), path.parent)
        self.path = path


class ParquetStream(FileStream):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._open() as file:
            self.schema, metadata = file.schema_arrow.remove_metadata(), file.metadata
            self.rows = metadata.num_rows
            groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
            bytes_of_row = sum(each.total_byte_size for each in groups) / max(1, self.rows)
            self._ends = [sum(each.num_rows for each in groups[: number + 1]) for number in range(len(groups))]
            leaves = [field.name for field in self.schema for _ in range(_leaves(field.type))]
            values = [sum(each.column(leaf).num_values for each in groups) for leaf in range(len(leaves))]
        self.lengths = {name: each / max(1, self.rows) for name, each in zip(leaves, values, strict=True)}
        self.chunk_rows = max(1, min(CHUNK, int(CHUNK_BYTES / max(1.0, bytes_of_row))))

    def _open(self) -> Any:
        from pyarrow import parquet

        return parquet.ParquetFile(self.path, memory_map=True)

    def _chunks(self, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
        wanted = list(columns)
        groups = [number for number, end in enumerate(self._ends) if end > start]
        before = self._ends[groups[0] - 1] if groups and groups[0] else 0
        schema = pa.schema([self.schema.field(name) for name in wanted])
        try:
            with self._open() as file:
                batches = file.iter_batches(self.chunk_rows, row_groups=groups, columns=wanted, use_threads=False)
                rows = (batch.select(wanted) for batch in batches)
                for table in _cut(rows, schema, start - before, stop - start, self.chunk_rows):
                    yield Chunk(start, table)
                    start += len(table)
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"`{self.path}` cannot be read behind row {start}: {error}") from None


class LineStream(FileStream):
    """A file of lines, looked over once before it is read: how many rows it has, and of which types."""

    def _chunks(self, columns: Sequence[str], start: int, stop: int) -> Iterator[Chunk]:
        rows = islice(self._rows(), start, stop)
        while piece := list(islice(rows, self.chunk_rows)):
            lines, cells = [line for line, _ in piece], [row for _, row in piece]
            arrays = [self._array(name, [self._cell(row, name) for row in cells]) for name in columns]
            yield Chunk(start, pa.table(arrays, names=list(columns)), lines)
            start += len(piece)

    @abstractmethod
    def _rows(self) -> Iterator[tuple[int, Any]]:
        """Every row with the line on which it begins."""

    @abstractmethod
    def _cell(self, row: Any, name: str) -> Any:
        """What a row has in a column."""

    @abstractmethod
    def _array(self, name: str, cells: list[Any]) -> pa.Array:
        """Cells of a column, in its type."""


class CsvStream(LineStream):
    """A CSV or TSV file: a column is numbers if all of its cells are, as where tables are read for training.

    Args:
        path: The file.
        texts: Columns that stay as they are written in any case.
    """

    def __init__(self, path: Path, texts: Collection[str]) -> None:
        super().__init__(path)
        names = header(path) or []
        self._places = {name: place for place, name in enumerate(names)}
        kinds: dict[str, set[pa.DataType | None]] = {name: set() for name in names}
        self.rows, self.lengths = 0, {}
        rows = self._rows()
        while piece := [row for _, row in islice(rows, CHUNK)]:
            self.rows += len(piece)
            for name, found in kinds.items():
                if pa.large_string() not in found:
                    found.add(_kind([self._cell(row, name) for row in piece]))
        self.schema = pa.schema(
            [(name, pa.large_string() if name in texts else _common(found)) for name, found in kinds.items()]
        )

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        try:
            rows = csv_rows(self.path)
            _, names = next(rows)
            for line, cells in rows:
                if len(cells) != len(names):
                    raise UsageError(csv_problem(self.path))
                yield line, cells
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(csv_problem(self.path) or f"`{self.path}` cannot be read as CSV: {error}") from None

    def _cell(self, row: list[str], name: str) -> str | None:
        return row[self._places[name]] or None

    def _array(self, name: str, cells: list[Any]) -> pa.Array:
        written, wanted = pa.array(cells, pa.large_string()), self.schema.field(name).type
        if wanted == pa.large_string():
            return written
        return as_numbers(pa.chunked_array([written])).cast(wanted).combine_chunks()


class JsonLinesStream(LineStream):
    """A file with a JSON object on each line; what an object leaves out is null."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        types: dict[str, pa.DataType] = {}
        mixed: dict[str, int] = {}
        entries: dict[str, int] = {}
        self.rows = 0
        rows = self._rows()
        while piece := list(islice(rows, CHUNK)):
            self.rows += len(piece)
            for name in dict.fromkeys(name for _, row in piece for name in row):
                cells = [row.get(name) for _, row in piece]
                entries[name] = entries.get(name, 0) + sum(len(each) for each in cells if isinstance(each, list))
                try:
                    types[name] = _wider(types.get(name, pa.null()), pa.array(cells).type)
                except (pa.ArrowException, OverflowError):
                    mixed.setdefault(name, piece[_other_kind(cells)][0])
        self.mixed = mixed
        self.lengths = {name: each / self.rows for name, each in entries.items()}
        self.schema = pa.schema([(name, each) for name, each in types.items() if name not in mixed])

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in json_rows(self.path):
            yield number, json_object(self.path, number, line)

    def _cell(self, row: dict[str, Any], name: str) -> Any:
        return row.get(name)

    def _array(self, name: str, cells: list[Any]) -> pa.Array:
        return pa.array(cells, self.schema.field(name).type)


def open_stream(name: str | Path, texts: Collection[str] = (), given: Mapping[str, Table] | None = None) -> Stream:
    """Opens a table to read it once.

    Args:
        name: Whatever `open_table` takes; a relative path starts at the working folder.
        texts: Columns that hold texts, even where every text in a CSV file looks like a number.
        given: Tables in memory, by the name behind `memory:`.

    Raises:
        UsageError: It is not there, is no table, is damaged, or has no rows.
        NetworkError: It is on the Hub, and cannot be fetched.
    """
    source = locate(name)
    stream: Stream
    if isinstance(source, Files) and len(source.paths) == 1:
        (path,) = source.paths
        header(path)  # which tells what is wrong with it
        kind = path.suffix.lower()
        if kind == ".parquet":
            stream = ParquetStream(path)
        else:
            stream = JsonLinesStream(path) if kind == ".jsonl" else CsvStream(path, texts)
    else:
        stream = TableStream(open_table(name, header_of(name, given), texts, given=given))
    if not stream.rows:
        raise UsageError(f"`{stream.name}` has no rows")
    return stream


def _arrow(table: Table, name: str) -> pa.ChunkedArray:
    return table.arrow(name) if isinstance(table, ArrowTable) else pa.chunked_array([pa.array(table.column(name))])


def _entries(cells: pa.ChunkedArray) -> int:
    """How many entries all cells of a column of lists have; of other columns, how many cells there are."""
    lists = pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)
    return sum(len(chunk.flatten()) for chunk in cells.chunks) if lists else len(cells)


def _cut(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, skipped: int, length: int, size: int
) -> Iterator[pa.Table]:
    """Rows in pieces of one size, whatever pieces they come in, without the first ones and those behind the last."""
    waiting = schema.empty_table()
    for batch in batches:
        passed = min(skipped, len(batch))
        skipped -= passed
        piece = batch.slice(passed, length - len(waiting))
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([piece], schema)])
        while len(waiting) >= size:
            yield waiting.slice(0, size).combine_chunks()
            waiting, length = waiting.slice(size), length - size
        if len(waiting) == length:
            break
    if len(waiting):
        yield waiting.combine_chunks()


def _leaves(kind: pa.DataType) -> int:
    """How many columns a Parquet file has of a column of this type."""
    return sum(_leaves(kind.field(each).type) for each in range(kind.num_fields)) or 1


def _kind(cells: list[str | None]) -> pa.DataType | None:
    """The type of some cells of a CSV column; None of cells that have none, because they hold nothing."""
    if all(cell is None or cell.strip() in NO_NUMBER for cell in cells):
        return None if all(cell is None for cell in cells) else pa.null()
    return as_numbers(pa.chunked_array([pa.array(cells, pa.large_string())])).type


def _common(kinds: set[pa.DataType | None]) -> pa.DataType:
    """The type of a whole CSV column, from those of its pieces."""
    known = kinds - {None, pa.null()}
    if not known or pa.large_string() in known:
        return pa.large_string()
    return pa.float64() if pa.float64() in known else pa.int64()


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """The type that holds the cells of both."""
    schemas = [pa.schema([("cells", each)]) for each in (one, other)]
    return pa.unify_schemas(schemas, promote_options="permissive").field("cells").type


def _other_kind(cells: list[Any]) -> int:
    """The first cell of another kind than those before it; where they are all alike, the first that is no null."""
    kinds = [float if type(cell) is int else type(cell) for cell in cells]
    known = [number for number, kind in enumerate(kinds) if kind is not type(None)]
    return next((number for number in known if kinds[number] is not kinds[known[0]]), known[0])
