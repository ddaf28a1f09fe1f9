"""The first rows of a table, for guessing what its columns are. Imports pyarrow for Parquet alone."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from zoo.errors import UsageError
from zoo.spec.coco import Coco
from zoo.spec.folders import ClassFolder, MetadataFolder
from zoo.spec.sources import Files, locate

ROWS = 1000
"""Rows that are looked at."""

HEAVY_ROWS = 8
"""Rows of which pictures and sounds inside the table are looked at."""

NO_NUMBER = ("NA", "N/A", "n/a", "null", "NULL", "None", "#N/A")
"""What a CSV column of numbers may hold where it holds none; an empty cell and NaN are null anyway."""

WRITTEN = r"^[+-]?(0\d|\d{19})"
"""Numbers that are names: with zeros in front, or too long to be counted with. A CSV column of them stays text."""


@dataclass(frozen=True)
class Peek:
    """The beginning of a table.

    Args:
        cells: Column to its cells in the first rows, without nulls.
        seen: How many rows were looked at.
        rows: How many there are; an estimate, from the size of the file, where it is longer.
    """

    cells: Mapping[str, Sequence[Any]]
    seen: int
    rows: int


def peek(path: Path) -> Peek:
    """Looks at the beginning of a table: a file, several, or a folder.

    Raises:
        UsageError: It is not there, is no table, or has no rows.
    """
    source = locate(path)
    columns = source.header()
    if isinstance(source, Files):
        return _peek_files(source.paths, columns or [])
    if isinstance(source, MetadataFolder):
        found = _peek_files([source.table], list(source.columns.values()))
        return replace(found, cells={shown: found.cells[name] for shown, name in source.columns.items()})
    if isinstance(source, (ClassFolder, Coco)):
        rows = max(map(len, source.cells.values()))
        step = max(1, rows // ROWS)  # rows of a class stand together
        cells = {name: list(filter(_is_there, column[::step])) for name, column in source.cells.items()}
        return Peek(cells, len(range(0, rows, step)), rows)
    raise UsageError(f"`{source.name}` is not on this machine's disk; name a file or folder")


def _peek_files(paths: Sequence[Path], columns: Sequence[str]) -> Peek:
    """The beginning of the first file; how many rows there are in all is told by the sizes."""
    path = paths[0]
    reader = {".parquet": _parquet, ".jsonl": _json_lines}.get(path.suffix.lower(), _csv)
    try:
        cells, seen, rows = reader(path)
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"`{path}` cannot be read as {path.suffix}: {error}") from None
    if not seen:
        raise UsageError(f"`{path}` has no rows")
    if len(paths) > 1:
        rows = round(rows * sum(each.stat().st_size for each in paths) / path.stat().st_size)
    return Peek({name: [cell for cell in cells.get(name, ()) if _is_there(cell)] for name in columns}, seen, rows)


Found: TypeAlias = tuple[dict[str, list[Any]], int, int]
"""Column to cells, how many rows were looked at, how many there are."""


def _csv(path: Path) -> Found:
    with path.open("rb") as file:
        lines = (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(file))
        reader = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        names, *rows = islice(filter(None, reader), ROWS + 1)
        count = _estimate(file, len(rows))
    columns: dict[str, list[str]] = {name: [] for name in names}
    for row in rows:
        for name, cell in zip(names, row, strict=False):
            columns[name].append(cell)
    return {name: _numbers([cell for cell in cells if cell]) for name, cells in columns.items()}, len(rows), count


def _json_lines(path: Path) -> Found:
    with path.open("rb") as file:
        rows = [json.loads(line) for line in islice(filter(bytes.strip, file), ROWS)]
        count = _estimate(file, len(rows))
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, cell in row.items():
            columns.setdefault(name, []).append(cell)
    return columns, len(rows), count


def _parquet(path: Path) -> Found:
    import pyarrow as pa
    from pyarrow import parquet

    file = parquet.ParquetFile(path, memory_map=True)
    heavy = [field.name for field in file.schema_arrow if "binary" in str(field.type)]
    light = [name for name in file.schema_arrow.names if name not in heavy]
    columns: dict[str, list[Any]] = {}
    for names, rows in ((light, ROWS), (heavy, HEAVY_ROWS)):
        if names:
            batch = next(file.iter_batches(rows, columns=names), pa.RecordBatch.from_pylist([]))
            columns |= {name: batch.column(name).to_pylist() for name in names if name in batch.schema.names}
    rows = file.metadata.num_rows
    return columns, min(rows, ROWS), rows


def _estimate(file: BinaryIO, seen: int) -> int:
    """How many rows a file of lines has, after some of it was read."""
    position, size = file.tell(), file.seek(0, 2)
    return seen if position == size else round(seen * size / position)


def _numbers(cells: list[str]) -> list[Any]:
    """The cells as numbers where all of them are, as tables are read for training."""
    known = [cell.strip() for cell in cells if cell.strip() not in NO_NUMBER]
    if not known or any(re.match(WRITTEN, cell) for cell in known):
        return cells
    for kind in (int, float):
        with suppress(ValueError):
            return [kind(cell) for cell in known]
    return cells


def _is_there(cell: Any) -> bool:
    return cell is not None and cell == cell
