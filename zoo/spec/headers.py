"""The header of one file: the names of its columns, and nothing behind them."""

import csv
import json
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.errors import UsageError

HEADER_BYTES = 1 << 20


def header(path: Path) -> list[str]:
    """The column names of a file: Parquet, CSV, TSV or JSON lines.

    Raises:
        UsageError: It is empty, of another kind, or not what its name says.
    """
    if not path.is_file():
        raise UsageError(f"`{path}` is no file")
    reader = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"`{path}` is no table that zoo reads: save it as .parquet, .csv, .tsv or .jsonl")
    try:
        columns = reader(path)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise UsageError(f"`{path}` cannot be read as {path.suffix}: {error}") from None
    twice = [name for name, times in Counter(columns).items() if times > 1]
    if twice:
        raise UsageError(f"`{path}` has two columns `{twice[0]}`")
    return columns


def _parquet(path: Path) -> list[str]:
    from pyarrow import parquet

    names: list[str] = parquet.read_schema(path).names
    return names


LONGEST_NAME = 1 << 17
"""Characters of a column's name, at most."""


def _csv(path: Path) -> list[str]:
    # What follows the header is not looked at, though a piece of it is decoded along: hence "surrogateescape".
    with path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
        lines = islice(iter(partial(file.readline, HEADER_BYTES), ""), 1000)
        rows = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        columns = next(filter(None, rows), [])
    if not columns:
        raise ValueError("it is empty")
    if max(map(len, columns)) > LONGEST_NAME:
        raise ValueError("a column's name is longer than its cells may be; it has no header")
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            raise ValueError(f"its columns are separated by {name}; save it with commas, or with tabs as .tsv")
    if any("\udc80" <= character <= "\udcff" for character in "".join(columns)):
        raise ValueError("its header is not UTF-8")
    return columns


def _json_lines(path: Path) -> list[str]:
    """The keys of the rows in the first MiB: a row may leave out what it does not have."""
    names: dict[str, None] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file.readlines(HEADER_BYTES), 1):
            row: Any = None
            with suppress(ValueError):
                row = json.loads(line) if line.strip() else {}
            if not isinstance(row, dict):
                raise ValueError(f"its line {number} is not a JSON object")
            names |= dict.fromkeys(row)
    if not names:
        raise ValueError("it is empty")
    return list(names)


def types(path: Path) -> dict[str, str]:
    """The type of each column, as Arrow writes it, of a Parquet file; nothing of a file that tells none."""
    if path.suffix.lower() != ".parquet":
        return {}
    from pyarrow import parquet

    return {field.name: str(field.type) for field in parquet.read_schema(path)}
