"""A table of rows that are in memory already: what is predicted without a file."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.columns import part_columns
from zoo.data.tables import plain
from zoo.errors import UsageError, listed, nearest
from zoo.spec.sections import Spec


class Samples:
    """Samples given in Python, as a table.

    Args:
        rows: Column to cell; a column that a row leaves out is null.
        folder: Where relative paths in the cells start.
    """

    name = "samples"

    def __init__(self, rows: Sequence[Mapping[str, Any]], folder: Path = Path()) -> None:
        self.folder = folder
        self.columns: Collection[str] = tuple(dict.fromkeys(name for row in rows for name in row))
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, numbers: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Cells of some columns, by column, of the rows with these numbers, counted from 0."""
        return [{name: plain(self._rows[row].get(name)) for name in columns} for row in numbers]

    def column(self, name: str) -> list[Any]:
        """All cells of a column."""
        return [plain(row.get(name)) for row in self._rows]

    def filled(self, name: str) -> NDArray[np.bool_]:
        """`(rows,)`: True where the column's cell is not null."""
        return np.array([cell is not None for cell in self.column(name)], dtype=bool)

    def place(self, row: int) -> str:
        """Which sample it is, counted from 1."""
        return f"sample {row + 1}"


def samples_of(spec: Spec, samples: Sequence[Mapping[str, Any]], folder: Path = Path()) -> Samples:
    """Samples whose cells stand under the names of inputs, as a table with the columns that the spec reads.

    Args:
        spec: The spec.
        samples: Input to cell; of an input with several columns, a mapping of column to cell. One left out is absent.
        folder: Where relative paths in the cells start.

    Raises:
        UsageError: There is no input of a name, or an input with several columns is given no mapping of them.
    """
    return Samples([_row(spec, number, sample) for number, sample in enumerate(samples, 1)], folder)


def _row(spec: Spec, number: int, sample: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(sample, Mapping):
        raise UsageError(
            f"sample {number}: expected a mapping of inputs to values, not {sample!r}; pass a list of them"
        )
    row: dict[str, Any] = {column: None for section in spec.inputs.values() for column in part_columns(section)}
    for name, cell in sample.items():
        if name not in spec.inputs:
            guess = nearest(name, spec.inputs)
            advice = f"did you mean `{guess}`?" if guess else f"there are {listed(spec.inputs)}"
            raise UsageError(f"sample {number}: there is no input `{name}`; {advice}")
        columns = part_columns(spec.inputs[name])
        if len(columns) == 1:
            row[columns[0]] = cell
        elif cell is not None:
            row |= _several(f"sample {number}, input `{name}`", cell, columns)
    return row


def _several(place: str, cell: Any, columns: Sequence[str]) -> dict[str, Any]:
    """The cells of an input that is made of several columns."""
    if not isinstance(cell, Mapping):
        raise UsageError(f"{place}: expected a mapping of its columns ({', '.join(columns)}) to cells")
    strangers = sorted(set(cell) - set(columns))
    if strangers:
        raise UsageError(f"{place} has no column `{strangers[0]}`; it has {', '.join(columns)}")
    return dict(cell)
