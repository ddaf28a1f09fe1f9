"""What one training of a cross-validation says of the rows that it held out, kept in files that it can be read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from torch import Tensor

from zoo.evaluation.measure import HeadRows
from zoo.training.state import read_state, write_state

HeadsRows = Mapping[str, HeadRows]
"""By head, its labelled rows; their numbers count the rows of all tables together."""


@dataclass(frozen=True)
class Outcome:
    """What became of a training.

    Args:
        held: By set of modalities, their names joined with `+`, the rows held out.
        learnt: The rows learnt from; empty where they were not measured.
        predictions: What the model says of each row held out.
        rows: How many rows it was given, those that chose its epoch among them.
        seconds: How long it took.
    """

    held: Mapping[str, HeadsRows]
    learnt: HeadsRows = field(repr=False)
    predictions: pa.Table = field(repr=False)
    rows: int
    seconds: float

    @property
    def whole(self) -> HeadsRows:
        """The rows held out, with all modalities."""
        return self.held[max(self.held, key=lambda each: each.count("+"))]


def write_outcome(folder: Path, name: str, outcome: Outcome) -> None:
    """Keeps an outcome; it is there once the last of its two files is.

    Raises:
        UsageError: It cannot be written.
    """
    parquet.write_table(outcome.predictions, folder / f"{name}.parquet")
    tensors: dict[str, Tensor] = {}
    facts: dict[str, Any] = {"rows": outcome.rows, "seconds": outcome.seconds, "sets": {}}
    for subset, heads in [*outcome.held.items(), ("", outcome.learnt)]:
        facts["sets"][subset] = {head: _packed(f"{subset}/{head}", rows, tensors) for head, rows in heads.items()}
    write_state(_file(folder, name), tensors, facts)


def read_outcome(folder: Path, name: str, *, learnt: bool) -> Outcome | None:
    """An outcome that was kept; None where there is none.

    Args:
        folder: Where.
        name: Of the training.
        learnt: Whether the rows learnt from must have been measured.

    Raises:
        CorruptError: It is damaged.
    """
    if not _file(folder, name).exists():
        return None
    tensors, facts = read_state(_file(folder, name))
    sets = {
        subset: {head: _unpacked(f"{subset}/{head}", each, tensors) for head, each in heads.items()}
        for subset, heads in facts["sets"].items()
    }
    measured = sets.pop("")
    if learnt and not measured:
        return None
    predictions = parquet.read_table(folder / f"{name}.parquet")
    return Outcome(sets, measured, predictions, facts["rows"], facts["seconds"])


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.outcome"


def _packed(prefix: str, rows: HeadRows, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Puts what are tensors among them; gives the rest."""
    tensors[f"{prefix}/seen"], tensors[f"{prefix}/numbers"] = rows.seen, rows.numbers
    if rows.targets is not None:
        tensors[f"{prefix}/targets"] = rows.targets
    told: dict[str, Any] = {"width": rows.width, "lists": {}, "keys": list(rows.rows)}
    for key, each in rows.rows.items():
        if isinstance(each, Tensor):
            tensors[f"{prefix}/rows/{key}"] = each
        else:
            told["lists"][key] = each
    return told


def _unpacked(prefix: str, told: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> HeadRows:
    lists = told["lists"]
    rows = {key: lists[key] if key in lists else tensors[f"{prefix}/rows/{key}"] for key in told["keys"]}
    targets = tensors.get(f"{prefix}/targets")
    return HeadRows(rows, tensors[f"{prefix}/seen"], tensors[f"{prefix}/numbers"], targets, told["width"])
