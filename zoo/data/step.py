"""What one step of training learns from, and which part of it is this process's own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from zoo.data.order import Draws
from zoo.features import Batch

Item = TypeVar("Item")
Place = tuple[int, int]
"""Number of a selection and position in it."""

Join = Callable[[slice], Batch]
"""Makes one batch of some of the rows that belong together."""


@dataclass(frozen=True)
class Share:
    """The part of a whole that one of several processes does: a contiguous one, as long as those of the others.

    Args:
        rank: Number of the process.
        processes: How many there are.
    """

    rank: int = 0
    processes: int = 1

    def of(self, whole: Sequence[Item]) -> Sequence[Item]:
        """This process's part."""
        return whole[self.slice(len(whole))]

    def slice(self, length: int) -> slice:
        """Where this process's part of so many items stands among them."""
        start, stop = (round(length * rank / self.processes) for rank in (self.rank, self.rank + 1))
        return slice(start, stop)


@dataclass(frozen=True)
class Step:
    """The rows of a step that are this process's own, prepared.

    Args:
        draws: Where each row stands.
        rows: How many rows the whole step has, those of all processes together.
        labelled: For each head, how many of these have its label.
        join: Makes a batch of some of them.
        mix: Mixes the rows of a batch, the part of the step with this number; None where nothing does.
    """

    draws: Draws
    rows: int
    labelled: Mapping[str, int]
    join: Join
    mix: Callable[[Batch, int], Batch] | None = None

    def __len__(self) -> int:
        return len(self.draws)

    @property
    def batch(self) -> Batch:
        """All rows as one batch."""
        (whole,) = self.batches(1)
        return whole

    def batches(self, parts: int) -> Iterator[Batch]:
        """The rows in so many batches, or in as many as there are rows."""
        parts = min(parts, len(self))
        for part in range(parts):
            batch = self.join(Share(part, parts).slice(len(self)))
            yield batch if self.mix is None else self.mix(batch, part)

    def weights(self, batch: Batch) -> dict[str, float]:
        """The share that a batch has in each head's mean loss of the step.

        Args:
            batch: One of `batches`.
        """
        return {
            name: (len(batch) if targets.rows is None else len(targets.rows)) / self.labelled[name]
            for name, targets in batch.targets.items()
        }
