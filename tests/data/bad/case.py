"""One piece of bad data: how it comes about, and what `zoo data check` makes of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS = 12
SPOILT = 4
"""The row that a case spoils, counted from 0."""

TRAIN = "train: {epochs: 1, batch_size: 8}\n"


@dataclass(frozen=True)
class Bad:
    """A piece of bad data.

    Args:
        name: What is bad.
        spec: A spec that reads it.
        write: Writes the table and what it names.
        told: What `zoo data check` says of it, among other things.
        exit_code: What it returns: 2 where a row cannot be used, else 0.
        skipped: Whether it is a row's fault, which `data.on_error: skip` leaves out.
    """

    name: str
    spec: str
    write: Callable[[Path], None]
    told: str
    exit_code: int = 2
    skipped: bool = True

    def line(self) -> str:
        """Its line in the table of the documentation."""
        outcome = ("row refused" if self.skipped else "table refused") if self.exit_code else "taken"
        return f"| {self.name} | {outcome} | {self.told.replace('|', chr(92) + '|')} |"


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes a table of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def good_rows(cells: Sequence[Any], column: str) -> list[dict[str, Any]]:
    """Rows with these cells and two classes in turn."""
    return [{column: cell, "kind": "ab"[row % 2]} for row, cell in enumerate(cells)]
