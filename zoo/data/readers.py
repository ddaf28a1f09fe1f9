"""Reads the columns of one file: CSV and TSV, JSON lines, Parquet."""

import csv
import json
import re
from array import array
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoo.errors import UsageError, listed, nearest
from zoo.spec.peek import NO_NUMBER, WRITTEN


def check_columns(path: Path, wanted: Collection[str], found: Collection[str]) -> None:
    """Refuses a table that lacks a column.

    Raises:
        UsageError: It does; the message tells the nearest that it has.
    """
    for name in wanted:
        if name not in found:
            guess = nearest(name, found)
            advice = f"did you mean `{guess}`?" if guess else f"its columns: {listed(found)}"
            raise UsageError(f"`{path}` has no column `{name}`; {advice}")


def read_csv(path: Path, columns: Collection[str], texts: Collection[str]) -> pa.Table:
    """Columns of a CSV or TSV file (RFC 4180, UTF-8). Empty cells are null.

    A column is numbers if all of its cells are; dates, truth values and codes such as `007` stay as they are written.

    Args:
        path: The file.
        columns: What to read; all must be there.
        texts: Columns that stay as they are written in any case.

    Raises:
        UsageError: It is not UTF-8, or a line has more or fewer cells than the header; the message names the line.
    """
    from pyarrow import csv as arrow

    wanted = list(columns)
    try:
        table = arrow.read_csv(
            path,
            parse_options=arrow.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
            convert_options=arrow.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise UsageError(_csv_problem(path) or f"`{path}` cannot be read as CSV: {error}") from None
    read = {name: table.column(name) for name in wanted}
    return pa.table(
        {name: cells if name in texts else _numbers(cells) for name, cells in read.items()}
    ).combine_chunks()


def read_json_lines(path: Path, columns: Collection[str]) -> pa.Table:
    """Columns of a file with a JSON object on each line; what an object leaves out is null.

    Raises:
        UsageError: A line is no JSON object, or a column holds values of different types; the message names the line.
            Or no row has one of the columns.
    """
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    found: set[str] = set()
    for number, line in _json_rows(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"`{path}`, line {number}, is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise UsageError(f"`{path}`, line {number}, is no JSON object; expected one row as {{column: cell}}")
        found |= row.keys()
        for name, column in cells.items():
            column.append(row.get(name))
    check_columns(path, columns, found)
    return pa.table({name: _json_column(path, name, column) for name, column in cells.items()})


def read_parquet_column(path: Path, name: str) -> pa.ChunkedArray:
    """A column of a Parquet file, which is mapped into memory.

    Raises:
        UsageError: The column is damaged.
    """
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path, memory_map=True).read([name]).column(name)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"`{path}`, column `{name}`, cannot be read: {error}") from None


def parquet_length(path: Path) -> int:
    """How many rows a Parquet file has."""
    from pyarrow import parquet

    length: int = parquet.read_metadata(path).num_rows
    return length


def line_of_row(path: Path, row: int) -> int | None:
    """The line, from 1, on which a row, from 0, begins; None for a file that is not made of lines."""
    if path.suffix.lower() not in (".jsonl", ".csv", ".tsv"):
        return None
    found = path.stat()
    lines = _lines(path, found.st_mtime_ns, found.st_size)
    return lines[row] if row < len(lines) else None


@lru_cache(maxsize=4)
def _lines(path: Path, changed: int, size: int) -> "array[int]":
    """The line of each row of a file, kept while it is the same: a table may have a great many bad rows."""
    if path.suffix.lower() == ".jsonl":
        return array("q", (number for number, _ in _json_rows(path)))
    return array("q", (number for number, _ in islice(_csv_rows(path), 1, None)))  # the header is the first


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def _numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells as whole numbers or floats where all of them are; else as they are."""
    from pyarrow import compute

    known = cells.drop_null()
    if not len(known):
        return cells
    trimmed = compute.utf8_trim_whitespace(cells)
    nothing = (
        "^(?:" + "|".join(map(re.escape, NO_NUMBER)) + ")$"
    )  # a list or a bare None would make Arrow import pandas
    nulls = pa.nulls(len(trimmed), trimmed.type)
    trimmed = compute.if_else(compute.match_substring_regex(trimmed, nothing), nulls, trimmed)
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = trimmed.cast(kind)
        except pa.ArrowInvalid:
            continue
        names = compute.any(compute.match_substring_regex(trimmed, WRITTEN)).as_py()
        return cells if names or numbers.null_count == len(numbers) else numbers
    return cells


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each begins on, the header first, without blank lines."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(path))
        line = 1
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1


def _csv_problem(path: Path) -> str:
    """What is wrong with a CSV file, and on which line; "" if that cannot be told."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"`{path}`, line {number}, is not UTF-8; save the file as UTF-8"
    try:
        rows = _csv_rows(path)
        _, columns = next(rows)
        for number, cells in rows:
            if len(cells) != len(columns):
                hint = "put cells that hold the separator in double quotes"
                return f"`{path}`, line {number}, has {len(cells)} cells; the header has {len(columns)}: {hint}"
    except csv.Error as error:
        return f"`{path}` cannot be read as CSV: {error}"
    return ""


def _json_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def _json_column(path: Path, name: str, cells: list[Any]) -> pa.ChunkedArray:
    try:
        return pa.chunked_array([pa.array(cells)])
    except (pa.ArrowException, OverflowError) as error:
        raise UsageError(
            f"`{path}`{_other_kind(path, cells)}, column `{name}`: cells differ in type: {error}"
        ) from None


def _other_kind(path: Path, cells: list[Any]) -> str:
    """The line of the first cell of another type than the first one's; "" where the difference lies inside."""
    kinds = [float if type(cell) is int else type(cell) for cell in cells]
    first = next(kind for kind in kinds if kind is not type(None))
    other = next((row for row, kind in enumerate(kinds) if kind not in (first, type(None))), None)
    return "" if other is None else f", line {line_of_row(path, other)}"
