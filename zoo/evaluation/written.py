"""Predictions as a table: one column for each thing that a head says."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import ConflictError, UsageError
from zoo.files import check_writable, replace_bytes


class Written(NamedTuple):
    """What was written.

    Args:
        rows: How many rows.
        empty: How many of them have no prediction, because they had no input.
    """

    rows: int
    empty: int


def write_table(path: Path, predictions: Iterable[Mapping[str, Any] | None]) -> Written:
    """Writes predictions to a file that is complete in the end or absent.

    What a head says in several parts becomes a column for each: `mood.label`, `mood.probability`. Probabilities of each
    class stand in `mood.probabilities.good`.

    Args:
        path: A .parquet, .csv or .jsonl file.
        predictions: For each row, what each head says; None where nothing can be said.

    Raises:
        UsageError: The file is of another kind, or cannot be written.
    """
    check_output(path)
    told = [None if each is None else _flat(each, "") for each in predictions]
    columns = dict.fromkeys(name for each in told if each is not None for name in each)
    rows = [{"row": number, **columns, **(each or {})} for number, each in enumerate(told)]
    replace_bytes(path, WRITERS[path.suffix.lower()](rows))
    return Written(len(rows), told.count(None))


def check_output(path: Path) -> None:
    """Looks whether predictions can be written to a file, before any is made.

    Raises:
        ConflictError: Something is in its place already.
        UsageError: It is of another kind, or its folder cannot be made or written to.
    """
    if path.suffix.lower() not in WRITERS:
        raise UsageError(f"`{path}`: predictions are written as .parquet, .csv or .jsonl")
    if path.exists():
        raise ConflictError(f"`{path}` is there already; name another file with -o, or remove it first")
    check_writable(path)


def _flat(value: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, each in value.items():
        flat |= _flat(each, f"{prefix}{name}.") if isinstance(each, Mapping) else {f"{prefix}{name}": each}
    return flat


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow({name: json.dumps(each) if isinstance(each, list) else each for name, each in row.items()})
    return text.getvalue().encode()


def _json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


WRITERS = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines}
"""What makes a file's bytes from the rows, by how its name ends."""
