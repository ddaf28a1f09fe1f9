"""The first rows of a table, for guessing what its columns are. Imports pyarrow for Parquet alone."""

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from zoo.errors import UsageError
from zoo.spec.coco import Coco
from zoo.spec.folders import ClassFolder, MetadataFolder
from zoo.spec.sources import Files, locate

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

ROWS = 20_000
"""Rows that are looked at: enough to tell texts that come again from categories, and to see rare classes."""

LISTED_ROWS = 1000
"""Rows of which lists are looked at in a Parquet file."""

HEAVY_ROWS = (8, 100)
"""Fewest and most rows of which pictures and sounds inside the table are looked at."""

HEAVY_BYTES = 1 << 25
"""Most bytes of such a column that are read, beyond the fewest rows."""

GROUPS = 10
"""Places of a Parquet file that are looked into: tables are often sorted by class."""

NO_NUMBER = ("NA", "N/A", "n/a", "null", "NULL", "None", "#N/A")
"""What a CSV column of numbers may hold where it holds none; an empty cell and NaN are null anyway."""

WRITTEN = r"^[+-]?(0\d|\d{19})"
"""Numbers that are names: with zeros in front, or too long to be counted with. A CSV column of them stays text."""


@dataclass(frozen=True)
class Peek:
    """The beginning of a table.

    Args:
        columns: Column to its cells in the rows that were looked at, in their order; None where there is nothing. Of
            pictures, sounds and lists those of fewer rows.
        seen: How many rows were looked at.
        rows: How many there are; an estimate, from the size of the file, where it is longer.
        names: Column of whole numbers to the names of the classes that they stand for, where the table tells them.
    """

    columns: Mapping[str, Sequence[Any]]
    seen: int
    rows: int
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def cells(self) -> dict[str, list[Any]]:
        """Column to its cells, without those where there is nothing."""
        return {name: [cell for cell in cells if cell is not None] for name, cells in self.columns.items()}

    @property
    def whole(self) -> bool:
        """Whether every row was looked at."""
        return self.seen >= self.rows


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
        return replace(found, columns={shown: found.columns[name] for shown, name in source.columns.items()})
    if isinstance(source, (ClassFolder, Coco)):
        rows = max(map(len, source.cells.values()))
        step = max(1, rows // ROWS)  # rows of a class stand together
        cells = {name: column[::step] for name, column in source.cells.items()}
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
    names = class_names(path)
    return Peek({name: [_known(cell) for cell in cells.get(name, ())] for name in columns}, seen, rows, names)


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
    return {name: _numbers(cells) for name, cells in columns.items()}, len(rows), count


def _json_lines(path: Path) -> Found:
    with path.open("rb") as file:
        rows = [json.loads(line) for line in islice(filter(bytes.strip, file), ROWS)]
        count = _estimate(file, len(rows))
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}, len(rows), count


def _parquet(path: Path) -> Found:
    """Cells from several places of the file; of files and lists, which take long, fewer."""
    from pyarrow import parquet

    file = parquet.ParquetFile(path, memory_map=True)
    rows, columns = file.metadata.num_rows, {}
    for field_ in file.schema_arrow if rows else ():
        kind = str(field_.type)
        most = _affordable(file, field_.name) if "binary" in kind else LISTED_ROWS if "list" in kind else ROWS
        columns[field_.name] = [cell for part in _parts(file, field_.name, most) for cell in part]
    return columns, min(rows, ROWS), rows


def _parts(file: "ParquetFile", column: str, most: int) -> Iterator[list[Any]]:
    """Cells of a column from row groups all over the file, the same rows for columns of which as many are wanted."""
    groups = file.metadata.num_row_groups
    chosen = sorted({round(place * (groups - 1) / max(1, GROUPS - 1)) for place in range(GROUPS)})
    left = most
    for number, group in enumerate(chosen):
        wanted = math.ceil(left / (len(chosen) - number))
        batch = next(file.iter_batches(wanted, row_groups=[group], columns=[column]), None)
        if batch is not None:
            cells: list[Any] = batch.column(column).to_pylist()
            left -= len(cells)
            yield cells


def _affordable(file: "ParquetFile", column: str) -> int:
    """How many rows of a column of files can be looked at, by the bytes of its first row group."""
    group = file.metadata.row_group(0)
    chunks = (group.column(number) for number in range(group.num_columns))
    size: int = sum(each.total_uncompressed_size for each in chunks if each.path_in_schema.split(".")[0] == column)
    fewest, most = HEAVY_ROWS
    affordable = HEAVY_BYTES * int(group.num_rows) // max(1, size)
    return min(most, max(fewest, affordable))


def class_names(path: Path) -> dict[str, list[str]]:
    """What whole numbers of a Parquet file stand for, as Hugging Face's `ClassLabel` tells beside its columns."""
    if path.suffix.lower() != ".parquet":
        return {}
    from pyarrow import parquet

    told = (parquet.read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    with suppress(ValueError, AttributeError, TypeError):  # another program's, which may be of any form
        features = json.loads(told).get("info", {}).get("features", {})
        labels = {name: each["names"] for name, each in features.items() if each.get("_type") == "ClassLabel"}
        return {name: list(map(str, names)) for name, names in labels.items()}
    return {}


def _estimate(file: BinaryIO, seen: int) -> int:
    """How many rows a file of lines has, after some of it was read."""
    position, size = file.tell(), file.seek(0, 2)
    return seen if position == size else round(seen * size / position)


def _numbers(cells: list[str]) -> list[Any]:
    """The cells as numbers where all of them are, as tables are read for training; None where there is nothing."""
    known = [cell.strip() for cell in cells if cell and cell.strip() not in NO_NUMBER]
    if known and not any(re.match(WRITTEN, cell) for cell in known):
        for kind in (int, float):
            with suppress(ValueError):
                numbers = iter([kind(cell) for cell in known])
                return [next(numbers) if cell and cell.strip() not in NO_NUMBER else None for cell in cells]
    return [cell or None for cell in cells]


def _known(cell: Any) -> Any:
    """The cell, None where it is no number."""
    return None if cell is None or cell != cell else cell
