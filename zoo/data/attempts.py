"""Prepares the rows of a stream one by one: a row that cannot be read is told, and the others are not held up by it."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.collate import Collation
from zoo.data.columns import cell_of
from zoo.data.samples import Parts, Preparation, Sample
from zoo.data.stream import Chunk
from zoo.data.workers import Workers
from zoo.errors import UsageError, ZooError
from zoo.features import Batch


@dataclass(frozen=True)
class RowOrigin:
    """Where a row stands.

    Args:
        name: What messages call the table.
        folder: Where relative paths in its cells start.
        line: The line on which the row begins; None where its table is not made of lines.
    """

    name: str
    folder: Path
    line: int | None

    def place(self, row: int) -> str:
        """Where the row stands, for messages."""
        return f"`{self.name}`, " + (f"row {row + 1}" if self.line is None else f"line {self.line}")


@dataclass(frozen=True)
class Row:
    """A row to prepare.

    Args:
        number: Its number in the table.
        origin: Where it stands.
        cells: What it has in the columns of the inputs.
    """

    number: int
    origin: RowOrigin
    cells: dict[str, Any]


Outcome = Sample | UsageError | None
"""A prepared row, what is wrong with it, or None where it has no input."""


@dataclass(frozen=True)
class Attempt:
    """What became of rows that follow one another.

    Args:
        chunk: The chunk that they are of.
        outcomes: Of each row.
        batch: The samples among them; None where there are none.
    """

    chunk: Chunk
    outcomes: Sequence[Outcome]
    batch: Batch | None


class Attempts:
    """Prepares the rows of chunks.

    Args:
        model: Whose parts prepare them.
        name: What messages call their table.
        folder: Where relative paths in their cells start.
        absent: Inputs that count as absent from every row.
    """

    def __init__(self, model: Parts, name: str, folder: Path, absent: Collection[str] = ()) -> None:
        self._work = RowWork(Preparation(model, (), absent))
        self._name, self._folder, self._size = name, folder, model.spec.train.rows
        padding = {each: model.backbone(each).padding_value for each in model.spec.inputs}
        self._collate = Collation(padding, {})

    def __call__(self, chunks: Iterable[Chunk], rows: int) -> Iterator[Attempt]:
        """What becomes of the rows, some at a time, in their order.

        Args:
            chunks: The rows, asked for ahead of their use where worker processes prepare them.
            rows: How many there are, for judging whether worker processes are worth it.
        """
        asked: deque[Chunk] = deque()

        def jobs() -> Iterator[list[Row]]:
            for chunk in chunks:
                found = self._rows(chunk)
                for start in range(0, len(found), self._size):
                    asked.append(chunk)
                    yield found[start : start + self._size]

        for outcomes in Workers(self._work, None).prepared(jobs(), rows):
            samples = [each for each in outcomes if isinstance(each, Sample)]
            yield Attempt(asked.popleft(), outcomes, self._collate(samples) if samples else None)

    def _rows(self, chunk: Chunk) -> list[Row]:
        lines = [None] * len(chunk.table) if chunk.lines is None else chunk.lines
        cells = chunk.cells(self._work.columns)
        return [
            Row(chunk.start + number, RowOrigin(self._name, self._folder, line), row)
            for number, (line, row) in enumerate(zip(lines, cells, strict=True))
        ]


class RowWork:
    """What worker processes take along to prepare rows that are brought to them.

    Args:
        preparation: How rows are prepared.
    """

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self.columns = preparation.columns

    def __getitems__(self, rows: Sequence[Row]) -> list[Outcome] | ZooError:
        """What becomes of each row; an error that is not the row's is given back."""
        try:
            return [self._outcome(row) for row in rows]
        except ZooError as error:
            return error

    def _outcome(self, row: Row) -> Outcome:
        chains = self._preparation.chains.values()
        if all(chain.input.is_missing(cell_of(row.cells, chain.columns)) for chain in chains):
            return None
        try:
            return self._preparation.sample(row.origin, row.number, row.cells, (), 0)
        except UsageError as error:
            return error
