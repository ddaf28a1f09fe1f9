"""Where the columns of a table come from: memory, its files when they are first used, or the cache of large tables."""

from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from zoo.data.cache import kept_columns, mapped_column
from zoo.data.csv_files import csv_batches, csv_rows, read_csv
from zoo.data.json_files import json_batches, json_rows, read_json_lines
from zoo.data.parquet_files import parquet_batches, parquet_size, read_parquet_column, rows_of
from zoo.files import file_digest

LARGE = 32 << 20
"""Bytes of cells above which a table is mapped from the cache: what a table takes of memory at most."""


class Columns(Protocol):
    """The columns of a table. Worker processes take it along, so it holds no open file then."""

    @property
    def names(self) -> Collection[str]:
        """Those that can be read."""

    def __len__(self) -> int:
        """How many cells each has."""

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of one."""


class InMemory:
    """Columns that are in memory already."""

    def __init__(self, columns: Mapping[str, pa.ChunkedArray], length: int) -> None:
        self.names = tuple(columns)
        self._columns, self._length = dict(columns), length

    def __len__(self) -> int:
        return self._length

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of one."""
        return self._columns[name]


class OnDemand:
    """Columns that come in when they are first used, in every process anew.

    Args:
        names: Those that can be read.
        length: How many cells each has.
        load: Gives the cells of one.
    """

    def __init__(self, names: Sequence[str], length: int, load: Callable[[str], pa.ChunkedArray]) -> None:
        self.names = tuple(names)
        self._length, self._load = length, load
        self._loaded: dict[str, pa.ChunkedArray] = {}

    def __len__(self) -> int:
        return self._length

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of one."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": {}}


class Renamed:
    """Columns under other names.

    Args:
        columns: The columns.
        names: What each is called, and its own name.
    """

    def __init__(self, columns: Columns, names: Mapping[str, str]) -> None:
        self._columns, self._names = columns, dict(names)

    @property
    def names(self) -> Collection[str]:
        """Those that can be read."""
        return tuple(self._names)

    def __len__(self) -> int:
        return len(self._columns)

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells of one."""
        return self._columns.column(self._names[name])


@dataclass
class Cached:
    """Gives columns of files from the cache, where it puts them first if need be.

    Those of files of lines are converted all together, those of Parquet files each by itself.

    Args:
        paths: The files.
        columns: All columns that may be asked for.
        texts: Those of them that hold texts.
    """

    paths: Sequence[Path]
    columns: Sequence[str]
    texts: Collection[str]

    def __call__(self, name: str) -> pa.ChunkedArray:
        """The cells of a column."""
        together = [name] if _kind(self.paths) == ".parquet" else self.columns
        return mapped_column(kept_columns(self.content, together, self._batches)[name])

    @cached_property
    def content(self) -> str:
        """What the cells depend on."""
        texts = sorted(self.texts) if _kind(self.paths) in (".csv", ".tsv") else []
        return " ".join([_kind(self.paths), *map(file_digest, self.paths), *texts])

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        kind = _kind(self.paths)
        if kind == ".parquet":
            (name,) = names
            return parquet_batches(self.paths, name)
        return json_batches(self.paths, names) if kind == ".jsonl" else csv_batches(self.paths, names, self.texts)


def stored_columns(paths: Sequence[Path], columns: Sequence[str], texts: Collection[str]) -> Columns:
    """Columns of files that are one table.

    Args:
        paths: Parquet, CSV, TSV or JSON lines files, all of one kind.
        columns: What to read.
        texts: Those of them that hold texts, even where every text in a CSV file looks like a number.

    Raises:
        UsageError: One is damaged, or lacks a column.
    """
    load = Cached(tuple(paths), tuple(columns), frozenset(texts))
    if _kind(paths) == ".parquet":
        rows, size = parquet_size(paths, columns)
        return OnDemand(columns, rows, partial(_read_parquet, paths, load) if size <= LARGE else load)
    if sum(path.stat().st_size for path in paths) > LARGE:
        return OnDemand(columns, len(load(columns[0])), load)
    table = read_json_lines(paths, columns) if _kind(paths) == ".jsonl" else read_csv(paths, columns, texts)
    pa.default_memory_pool().release_unused()
    return InMemory(dict(zip(columns, table.columns, strict=True)), len(table))


def place_of(paths: Sequence[Path], row: int) -> str:
    """Where a row, counted from 0, of files that are one table stands: its line, else its number in a file."""
    for path in paths:
        found = path.stat()
        lines = None if _kind(paths) == ".parquet" else _lines(path, found.st_mtime_ns, found.st_size)
        length = rows_of(path) if lines is None else len(lines)
        if row < length:
            return f"`{path}`, row {row + 1}" if lines is None else f"`{path}`, line {lines[row]}"
        row -= length
    raise IndexError("there are fewer rows")


def _read_parquet(paths: Sequence[Path], mapped: Callable[[str], pa.ChunkedArray], name: str) -> pa.ChunkedArray:
    """A column in memory; one whose pages were small and whose cells are not (a text that comes often), mapped."""
    column = read_parquet_column(paths, name)
    pa.default_memory_pool().release_unused()  # pages that were unpacked on the way, twice as much again
    return column if column.nbytes <= LARGE else mapped(name)


def _kind(paths: Sequence[Path]) -> str:
    return paths[0].suffix.lower()


@lru_cache(maxsize=4)
def _lines(path: Path, changed: int, size: int) -> "array[int]":
    """The line on which each row begins, kept while the file is the same: a table may have a great many bad rows."""
    if path.suffix.lower() == ".jsonl":
        return array("q", (number for number, _ in json_rows(path)))
    return array("q", (number for number, _ in islice(csv_rows(path), 1, None)))  # the header is the first
