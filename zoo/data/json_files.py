"""Files with a JSON object on each line as columns: at once, or in batches."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoo.data.names import check_columns
from zoo.errors import UsageError

BATCH_BYTES = 1 << 22


def read_json_lines(paths: Sequence[Path], columns: Sequence[str]) -> pa.Table:
    """Columns of files that are one table; what an object leaves out is null.

    Raises:
        UsageError: A line is no JSON object, or a column holds values of different types; the message names the line.
            Or no row has one of the columns.
    """
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    found: set[str] = set()
    for row in chain.from_iterable(map(_objects, paths)):
        found |= row.keys()
        for name, column in cells.items():
            column.append(row.get(name))
    check_columns(", ".join(map(str, paths)), columns, found)
    return pa.table({name: _column(paths, name, column) for name, column in cells.items()})


def json_batches(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The same cells, batch by batch, in memory that does not depend on how many there are."""
    schema = pa.schema([(name, pa.null()) for name in columns])
    found: set[str] = set()
    for path in paths:
        for rows in _batches(path):
            found |= set().union(*rows)
            cells = {name: _column([path], name, [row.get(name) for row in rows], rows=False) for name in columns}
            try:
                here = pa.schema([(name, column.type) for name, column in cells.items()])
                schema = pa.unify_schemas([schema, here], promote_options="permissive")
            except pa.ArrowException as error:
                raise UsageError(f"`{path}`: cells of a column differ in type: {error}") from None
    check_columns(", ".join(map(str, paths)), columns, found)
    for rows in chain.from_iterable(map(_batches, paths)):
        arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def json_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in json_rows(path):
        yield json_object(path, number, line)


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for number, line in json_rows(path):
        rows.append(json_object(path, number, line))
        size += len(line)
        if size > BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def json_object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """The row on a line.

    Raises:
        UsageError: It is no JSON object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}`, line {number}, is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise UsageError(f"`{path}`, line {number}, is no JSON object; expected one row as {{column: cell}}")
    return row


def _column(paths: Sequence[Path], name: str, cells: list[Any], *, rows: bool = True) -> pa.ChunkedArray:
    """The cells of a column; `rows` tells whether they are all that the files have."""
    try:
        return pa.chunked_array([pa.array(cells)])
    except (pa.ArrowException, OverflowError) as error:
        place = _other_kind(paths, cells) if rows else f"`{paths[0]}`"
        raise UsageError(f"{place}, column `{name}`: cells differ in type: {error}") from None


def _other_kind(paths: Sequence[Path], cells: list[Any]) -> str:
    """Where the first cell of another type than the first one's is; the first file where the difference lies inside."""
    kinds = [float if type(cell) is int else type(cell) for cell in cells]
    first = next(kind for kind in kinds if kind is not type(None))
    other = next((row for row, kind in enumerate(kinds) if kind not in (first, type(None))), None)
    lines = ((path, number) for path in paths for number, _ in json_rows(path))
    found = next(((path, line) for row, (path, line) in enumerate(lines) if row == other), None)
    return f"`{paths[0]}`" if found is None else f"`{found[0]}`, line {found[1]}"
