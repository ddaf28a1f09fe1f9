"""Predictions as a table: one column for each thing that a head says."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import UsageError
from zoo.files import replace_bytes


def write_table(path: Path, predictions: Iterable[Mapping[str, Any]]) -> int:
    """Writes predictions to a file that is complete in the end or absent.

    What a head says in several parts becomes a column for each: `mood.label`, `mood.probability`. Probabilities of each
    class stand in `mood.probabilities.good`.

    Args:
        path: A .parquet, .csv or .jsonl file.
        predictions: For each row, what each head says.

    Returns:
        How many rows were written.

    Raises:
        UsageError: The file is of another kind, or cannot be written.
    """
    writer = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if writer is None:
        raise UsageError(f"`{path}`: predictions are written as .parquet, .csv or .jsonl")
    rows = [{"row": number, **_flat(each, "")} for number, each in enumerate(predictions)]
    replace_bytes(path, writer(rows))
    return len(rows)


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
