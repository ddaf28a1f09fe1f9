"""What a check of data finds: one thing at one place, and all of it as a table."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from zoo.data.tables import Table


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """A row, or more, cannot be used."""
    WARNING = "warning"
    """It is true, and spoils what is learnt or measured."""
    SUSPECT = "suspect"
    """It may be right; somebody should look."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        level: How bad it is.
        kind: What it is: `cell`, `label`, `leak`.
        table: The table's name; "" where it concerns no single one.
        message: What is wrong.
        row: Number of the row, counted from 1; None where it is no single one.
        place: Where the row stands: "`train.csv`, line 17".
        column: Columns of the cell.
        file: The file that the cell names.
    """

    level: Level
    kind: str
    table: str
    message: str
    row: int | None = None
    place: str = ""
    column: str = ""
    file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Its JSON shape."""
        return asdict(self)


def at_row(level: Level, kind: str, table: Table, row: int, message: str, column: str = "", file: str = "") -> Finding:
    """A finding at a row, counted from 0."""
    return Finding(level, kind, table.name, message, row + 1, table.place(row), column, file)


COLUMNS = ("level", "kind", "table", "row", "place", "column", "file", "message")


def findings_text(findings: Iterable[Finding]) -> str:
    """Findings as a CSV file, to work through in a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(each.as_dict() for each in findings)
    return text.getvalue()


def counted(findings: Sequence[Finding], level: Level) -> int:
    """How many findings are of a level."""
    return sum(1 for each in findings if each.level is level)
