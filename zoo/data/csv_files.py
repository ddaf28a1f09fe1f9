"""CSV and TSV files (RFC 4180, UTF-8) as columns: at once, or in batches."""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoo.errors import UsageError
from zoo.spec.peek import NO_NUMBER, WRITTEN

BATCH_BYTES = 1 << 20


def read_csv(paths: Sequence[Path], columns: Sequence[str], texts: Collection[str]) -> pa.Table:
    """Columns of files that are one table. Empty cells are null.

    A column is numbers if all of its cells are; dates, truth values and codes such as `007` stay as they are written.

    Args:
        paths: The files.
        columns: What to read; all must be there.
        texts: Columns that stay as they are written in any case.

    Raises:
        UsageError: One is not UTF-8, or a line has more or fewer cells than the header; the message names the line.
    """
    from pyarrow import csv as arrow

    tables = []
    for path in paths:
        try:
            tables.append(arrow.read_csv(path, **_options(path, columns)))
        except pa.ArrowInvalid as error:
            raise _told(path, error) from None
    table = pa.concat_tables(tables)
    read = {name: table.column(name) for name in columns}
    return pa.table(
        {name: cells if name in texts else as_numbers(cells) for name, cells in read.items()}
    ).combine_chunks()


def csv_batches(paths: Sequence[Path], columns: Sequence[str], texts: Collection[str]) -> Iterator[pa.RecordBatch]:
    """The same cells as `read_csv` gives, batch by batch, in memory that does not depend on how many there are."""
    kinds = {name: _Kind() for name in columns if name not in texts}
    for batch in _text_batches(paths, columns):
        for name, kind in kinds.items():
            kind.look(_trimmed(batch.column(name)))
    for batch in _text_batches(paths, columns):
        cells = {name: batch.column(name) for name in columns}
        for name, kind in kinds.items():
            if kind.type is not None:
                cells[name] = _trimmed(cells[name]).cast(kind.type)
        yield pa.RecordBatch.from_arrays(list(cells.values()), list(cells))


LONGEST_CELL = 1 << 30
"""Characters of a cell in a CSV file; Python's own limit is 128 KiB."""


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each begins on, the header first, without blank lines."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(path))
        line = 1
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1


def _text_batches(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All cells as they are written."""
    from pyarrow import csv as arrow

    for path in paths:
        try:
            options = arrow.ReadOptions(block_size=BATCH_BYTES)
            with arrow.open_csv(path, read_options=options, **_options(path, columns)) as reader:
                yield from reader
        except pa.ArrowInvalid as error:
            raise _told(path, error) from None


def _options(path: Path, columns: Sequence[str]) -> dict[str, Any]:
    from pyarrow import csv as arrow

    return {
        "parse_options": arrow.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
        "convert_options": arrow.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pa.large_string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    }


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","


def as_numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells as whole numbers or floats where all of them are; else as they are."""
    kind, trimmed = _Kind(), list(map(_trimmed, cells.chunks))
    for chunk in trimmed:
        kind.look(chunk)
    return cells if kind.type is None else pa.chunked_array([chunk.cast(kind.type) for chunk in trimmed], kind.type)


class _Kind:
    """What the cells of a column are, of which it is shown some after others: whole numbers, floats or texts."""

    def __init__(self) -> None:
        self._types = [pa.int64(), pa.float64()]
        self._some = False

    def look(self, trimmed: pa.Array) -> None:
        """Looks at some of the cells."""
        from pyarrow import compute

        self._some |= trimmed.null_count < len(trimmed)
        while self._types and not _are(trimmed, self._types[0]):
            self._types.pop(0)
        if self._types and compute.any(compute.match_substring_regex(trimmed, WRITTEN)).as_py():
            self._types = []

    @property
    def type(self) -> pa.DataType | None:
        """The type of numbers that all that were shown are; None where they are texts."""
        return self._types[0] if self._types and self._some else None


def _trimmed(cells: pa.Array) -> pa.Array:
    """The cells without blanks around them, null where they say that there is no number."""
    from pyarrow import compute

    trimmed = compute.utf8_trim_whitespace(cells)
    nothing = (
        "^(?:" + "|".join(map(re.escape, NO_NUMBER)) + ")$"
    )  # a list or a bare None would make Arrow import pandas
    nulls = pa.nulls(len(trimmed), trimmed.type)
    return compute.if_else(compute.match_substring_regex(trimmed, nothing), nulls, trimmed)


def _are(cells: pa.Array, kind: pa.DataType) -> bool:
    """Whether all cells are numbers of a kind."""
    try:
        cells.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _told(path: Path, error: Exception) -> UsageError:
    return UsageError(csv_problem(path) or f"`{path}` cannot be read as CSV: {error}")


def csv_problem(path: Path) -> str:
    """What is wrong with a file, and on which line; "" if that cannot be told."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return f"`{path}`, line {number}, is not UTF-8; save the file as UTF-8"
    try:
        rows = csv_rows(path)
        _, columns = next(rows)
        for number, cells in rows:
            if len(cells) != len(columns):
                hint = "put cells that hold the separator in double quotes"
                return f"`{path}`, line {number}, has {len(cells)} cells; the header has {len(columns)}: {hint}"
    except csv.Error as error:
        return f"`{path}` cannot be read as CSV: {error}"
    return ""
