"""Files of predictions, written chunk by chunk: Parquet, CSV, JSON lines."""

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from zoo.errors import UsageError
from zoo.evaluation.kept import holds_bytes
from zoo.files import check_new, check_writable, finite

GROUP = 1 << 14
"""Rows of a Parquet row group."""

GROUP_BYTES = 32 << 20
"""Bytes of rows that wait for the row group to be full, at most."""


class Sink(ABC):
    """Takes rows, chunk by chunk.

    Args:
        path: A new file.
        schema: Columns of the rows.
    """

    @abstractmethod
    def __init__(self, path: Path, schema: pa.Schema) -> None: ...

    @abstractmethod
    def write(self, rows: pa.Table) -> None:
        """Writes some rows."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ParquetSink(Sink):
    """A Parquet file, in row groups of one size."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(path, schema)
        self._waiting: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        """Writes the rows once there are enough for a row group."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= GROUP or sum(each.nbytes for each in self._waiting) >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Writes what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._waiting = []


class LineSink(Sink):
    """A file of lines."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")

    def close(self) -> None:
        """Writes what is left."""
        self._file.close()


class CsvSink(LineSink):
    """A CSV file; lists and mappings are JSON, truth values `true` and `false`, null is nothing."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__(path, schema)
        self._writer = csv.writer(self._file)
        self._writer.writerow(schema.names)

    def write(self, rows: pa.Table) -> None:
        """Writes the rows."""
        for row in rows.to_pylist():
            self._writer.writerow(map(_written, row.values()))


class JsonLinesSink(LineSink):
    """A file with a JSON object on each line."""

    def write(self, rows: pa.Table) -> None:
        """Writes the rows."""
        for row in rows.to_pylist():
            self._file.write(json.dumps(finite(row), ensure_ascii=False, default=str) + "\n")


SINKS: dict[str, Callable[[Path, pa.Schema], Sink]] = {
    ".parquet": ParquetSink,
    ".csv": CsvSink,
    ".jsonl": JsonLinesSink,
}
"""What writes a file, by how its name ends."""


@contextmanager
def part_sink(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Writes rows to a file that `part_rows` reads again, chunk for chunk as they were."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        yield writer.write_table


def part_rows(path: Path) -> Iterator[pa.Table]:
    """The chunks of rows that `part_sink` wrote."""
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def check_output(path: Path) -> None:
    """Looks whether predictions can be written to a file, before any is made.

    Raises:
        ConflictError: Something is in its place already.
        UsageError: It is of another kind, or its folder cannot be made or written to.
    """
    if path.suffix.lower() not in SINKS:
        raise UsageError(f"`{path}`: predictions are written as .parquet, .csv or .jsonl")
    check_new(path)
    check_writable(path)


def check_schema(path: Path, schema: pa.Schema) -> None:
    """Refuses columns that a file of this kind cannot hold.

    Raises:
        UsageError: It is no Parquet file, and one holds bytes.
    """
    if path.suffix.lower() != ".parquet":
        for field in schema:
            if holds_bytes(field.type):
                raise UsageError(f"`{path}` cannot hold the bytes of the column `{field.name}`; write .parquet")


def _written(cell: Any) -> Any:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, (list, dict)):
        return json.dumps(finite(cell), ensure_ascii=False, default=str)
    return None if cell != cell else cell
