"""Rows that cannot be used: found by preparing every row once, told with their places, and left out."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from itertools import islice
from typing import Any

import numpy as np

from zoo.contract import InputType
from zoo.data.rows import Selection
from zoo.data.samples import CellError, Parts, Preparation
from zoo.data.step import Place
from zoo.data.workers import Job, Work, Workers
from zoo.errors import UsageError

SKIPPED = "skipped.csv"
"""The file of a run that lists the rows that were left out."""

AT_ONCE = 64
"""Rows that are tried as one batch."""


@dataclass(frozen=True)
class Unusable:
    """A row that cannot be used.

    Args:
        table: The table's name.
        row: Its number, counted from 0.
        place: Where it stands: "`train.csv`, line 17".
        column: Columns of the cell that is wrong; "" where it is the whole row.
        file: The file that the cell names; "" where it names none.
        message: What is wrong.
    """

    table: str
    row: int
    place: str
    column: str
    file: str
    message: str


class Trial:
    """Prepares rows, and tells of each what is wrong with it, or None.

    Args:
        preparation: How rows are prepared.
        selections: The rows.
    """

    def __init__(self, preparation: Preparation, selections: Sequence[Selection]) -> None:
        self._work, self._selections = Work(preparation, selections), tuple(selections)
        chains = preparation.chains.values()
        self._files = {
            column for each in chains if type(each.input).check is not InputType.check for column in each.columns
        }

    def __getitems__(self, jobs: Sequence[Job]) -> list[Unusable | None]:
        """What is wrong with each row."""
        return [self._tried(*job) for job in jobs]

    def _tried(self, place: Place, seed: int) -> Unusable | None:
        try:
            self._work.sample(place, seed)
        except CellError as error:
            selection = self._selections[place[0]]
            return unusable(selection, int(selection.numbers[place[1]]), error, self._files)
        return None


def unusable(selection: Selection, row: int, error: CellError, files: Collection[str] = ()) -> Unusable:
    """A row that cannot be used.

    Args:
        selection: Where it is from.
        row: Its number.
        error: What is wrong with it.
        files: Columns whose texts are paths.
    """
    table, columns = selection.table, [name for name in error.columns if name in selection.table.columns]
    (cells,) = table.rows([row], columns) if columns else ({},)
    named = next(filter(None, (file_named(cells[name], name in files) for name in columns)), "")
    return Unusable(table.name, row, table.place(row), ", ".join(error.columns), named, error.reason or str(error))


def file_named(cell: Any, is_path: bool) -> str:
    """The file that a cell names; "" where it names none.

    Args:
        cell: The cell.
        is_path: Whether a text in it is a path.
    """
    found = cell.get("path") if isinstance(cell, Mapping) else cell if is_path else None
    return found if isinstance(found, str) else ""


def find_unusable(model: Parts, selections: Sequence[Selection], processes: int | None = None) -> list[Unusable]:
    """Prepares every row once, its labels too, and gives those that cannot be used.

    Args:
        model: Whose parts prepare them. It needs no weights.
        selections: The rows.
        processes: Worker processes; None starts them where they are worth it.
    """
    heads = frozenset().union(*(each.heads for each in selections))
    tried = Workers(Trial(Preparation(model, heads), selections), processes)
    rows = sum(len(each.numbers) for each in selections)
    return [found for batch in tried.prepared(_jobs(selections), rows) for found in batch if found is not None]


def find_wrong_labels(model: Parts, selections: Sequence[Selection]) -> list[Unusable]:
    """The rows with a label that is none. Nothing else is looked at."""
    return [found for each in selections for found in _wrong_labels(each, Preparation(model, each.heads))]


def without(selections: Sequence[Selection], found: Iterable[Unusable]) -> list[Selection]:
    """The selections without these rows; those that nothing is left of are left out."""
    gone: dict[str, set[int]] = {}
    for each in found:
        gone.setdefault(each.table, set()).add(each.row)
    kept = [
        replace(each, numbers=each.numbers[~np.isin(each.numbers, list(gone.get(each.table.name, ())))])
        for each in selections
    ]
    return [each for each in kept if len(each.numbers)]


def check_share(selections: Sequence[Selection], found: Sequence[Unusable]) -> None:
    """Refuses to leave out more than half of a table.

    Raises:
        UsageError: That is what it would come to; the message tells how many, and the first.
    """
    bad = Counter(each.table for each in found)
    for table, rows in _lengths(selections).items():
        if 2 * bad[table] > rows:
            first = next(each for each in found if each.table == table)
            raise UsageError(
                f"`{table}`: {bad[table]:,} of {rows:,} rows cannot be used, which is more than half, so that none is "
                f"left out; the first: {told(first)}"
            )


def remarks(selections: Sequence[Selection], found: Sequence[Unusable]) -> list[str]:
    """What the user should know of the rows that are left out, table by table."""
    bad = Counter(each.table for each in found)
    return [
        f"{bad[table]:,} of {rows:,} rows of `{table}` cannot be used and are left out: see {SKIPPED}"
        for table, rows in _lengths(selections).items()
        if bad[table]
    ]


def told(found: Unusable) -> str:
    """A row that cannot be used, in words."""
    column = f", column `{found.column}`" if found.column else ""
    return f"{found.place}{column}: {found.message}"


def skipped_text(found: Iterable[Unusable]) -> str:
    """Rows as a CSV file: table, row counted from 1, place, column, file, message."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(each.name for each in fields(Unusable))
    writer.writerows(astuple(replace(each, row=each.row + 1)) for each in found)
    return text.getvalue()


def _wrong_labels(selection: Selection, preparation: Preparation) -> Iterator[Unusable]:
    columns = [column for each in preparation.labels.values() for column in each]
    for number, row in selection.cells(columns) if columns else ():
        try:
            preparation.labels_of(selection.table, number, row, selection.heads)
        except CellError as error:
            yield unusable(selection, number, error)


def _lengths(selections: Sequence[Selection]) -> Counter[str]:
    lengths: Counter[str] = Counter()
    for each in selections:
        lengths[each.table.name] += len(each.numbers)
    return lengths


def _jobs(selections: Sequence[Selection]) -> Iterator[list[Job]]:
    places = ((number, position) for number, each in enumerate(selections) for position in range(len(each.numbers)))
    while batch := list(islice(places, AT_ONCE)):
        yield [(place, 0) for place in batch]
