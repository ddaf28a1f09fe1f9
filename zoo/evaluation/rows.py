"""Predictions of the rows of a table, chunk by chunk, beside the columns that are kept of it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from zoo.data.attempts import Attempt, Attempts
from zoo.data.columns import columns_of
from zoo.data.stream import Chunk, Stream
from zoo.errors import UsageError
from zoo.evaluation.flat import prediction_columns
from zoo.evaluation.kept import kept_columns
from zoo.model.model import ZooModel

ROW, ERROR = pa.field("row", pa.int64()), pa.field("error", pa.string())


@dataclass(frozen=True)
class Counts:
    """What became of rows.

    Args:
        rows: How many there are.
        empty: How many have no input.
        wrong: How many cannot be read.
        first_error: What is wrong with the first of them.
    """

    rows: int = 0
    empty: int = 0
    wrong: int = 0
    first_error: str = ""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.rows + other.rows,
            self.empty + other.empty,
            self.wrong + other.wrong,
            self.first_error or other.first_error,
        )


class RowPredictions:
    """Predicts the rows of a table.

    Args:
        model: The model.
        stream: The table.
        absent: Inputs that count as absent from every row.
        columns: Which of its columns to keep; see `kept_columns`.
        forgiving: Whether a row that cannot be read is told in a column `error`; else it ends the work.

    Raises:
        UsageError: The table lacks a column, or one cannot be read or kept.
    """

    def __init__(
        self,
        model: ZooModel,
        stream: Stream,
        absent: Collection[str],
        columns: str | Sequence[str],
        *,
        forgiving: bool = False,
    ) -> None:
        self.stream, self.counts = stream, Counts()
        read = columns_of(model.spec, [name for name in model.spec.inputs if name not in absent], ())
        stream.check(read)
        self._model, self._forgiving = model, forgiving
        self._predicted = prediction_columns(model)
        ours = [ROW, *(each.field for each in self._predicted), *([ERROR] if forgiving else [])]
        self.kept = kept_columns(stream, columns, {field.name for field in ours})
        self.schema = pa.schema([ROW, *self.kept.fields, *ours[1:]])
        self._read = list(dict.fromkeys([*read, *self.kept.columns]))
        self._attempts = Attempts(model, stream.name, stream.folder, absent)

    def chunks(self, pieces: range, watch: Callable[[int, int], None] | None = None) -> Iterator[pa.Table]:
        """The rows of some chunks of the table, each chunk a table of the schema; `counts` tells what became of them.

        Args:
            pieces: Which chunks, one behind the other.
            watch: Hears how many rows are done, and of how many.

        Raises:
            UsageError: A row cannot be read, and that is not forgiven.
        """
        size = self.stream.chunk_rows
        total = min(pieces.stop * size, self.stream.rows) - pieces.start * size
        predictions: list[Any] = []
        errors: list[str | None] = []
        self._model.eval()
        if watch is not None:
            watch(0, total)
        for attempt in self._attempts(self.stream.chunks(self._read, pieces.start, pieces.stop), total):
            self._count(attempt)
            predictions += self._predictions(attempt)
            errors += [str(each) if isinstance(each, UsageError) else None for each in attempt.outcomes]
            if watch is not None:
                watch(self.counts.rows, total)
            if len(predictions) == len(attempt.chunk.table):
                yield self._table(attempt.chunk, predictions, errors)
                predictions, errors = [], []

    def _count(self, attempt: Attempt) -> None:
        wrong = [each for each in attempt.outcomes if isinstance(each, UsageError)]
        if wrong and not self._forgiving:
            raise wrong[0]
        empty = sum(each is None for each in attempt.outcomes)
        self.counts += Counts(len(attempt.outcomes), empty, len(wrong), str(wrong[0]) if wrong else "")

    def _predictions(self, attempt: Attempt) -> list[dict[str, Any] | None]:
        """What the heads say of each row."""
        if attempt.batch is None:
            return [None] * len(attempt.outcomes)
        device = next(self._model.parameters()).device
        decoded = self._model.predict(attempt.batch.to(device))
        told = iter([dict(zip(decoded, values, strict=True)) for values in zip(*decoded.values(), strict=True)])
        return [None if each is None or isinstance(each, UsageError) else next(told) for each in attempt.outcomes]

    def _table(self, chunk: Chunk, predictions: Sequence[Any], errors: Sequence[str | None]) -> pa.Table:
        numbers = pa.array(range(chunk.start, chunk.start + len(chunk.table)), ROW.type)
        arrays = [numbers, *self.kept.arrays(chunk), *(each.array(predictions) for each in self._predicted)]
        if self._forgiving:
            arrays.append(pa.array(errors, ERROR.type))
        return pa.table(arrays, schema=self.schema).combine_chunks()
