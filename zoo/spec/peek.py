"""The first rows of a table, for guessing what its columns are. Imports pyarrow for Parquet alone."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.errors import UsageError
from zoo.spec.files import header

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
    """Looks at the beginning of a Parquet, CSV, TSV or JSON lines file.

    Raises:
        UsageError: It is not there, is no table, or has no rows.
    """
    columns = header(path)
    if columns is None:
        raise UsageError(f"`{path}` is a folder; name a table in it: .parquet, .csv, .tsv or .jsonl")
    kind = path.suffix.lower()
    if kind == ".parquet":
        found = _parquet(path)
    else:
        rows, read = (_json_lines if kind == ".jsonl" else _csv)(path)
        ...
    return found
