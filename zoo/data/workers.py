"""Prepares rows: in this process as long as that is quick, else in several."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, Protocol, TypeVar

import torch
from torch.utils.data import DataLoader

from zoo.data.parcels import Parcel, pack, unpack
from zoo.data.rows import Selection
from zoo.data.samples import Preparation, Sample
from zoo.data.step import Place
from zoo.errors import ZooError

WORTH = 3.0
"""Seconds of preparation still to come that are worth starting worker processes for."""

MOST = 8
"""Worker processes, at most."""

Job = tuple[Place, int]
"""A row to prepare, and the seed of its views."""


JobT = TypeVar("JobT", contravariant=True)
SampleT = TypeVar("SampleT", covariant=True)


class Prepares(Protocol[JobT, SampleT]):
    """What worker processes take along."""

    def __getitems__(self, jobs: Sequence[JobT]) -> Sequence[SampleT] | ZooError:
        """What becomes of each job; an error is given back, because a worker would garble what it raises."""


class Work:
    """Samples of rows.

    Args:
        preparation: How rows are prepared.
        selections: The rows.
    """

    def __init__(self, preparation: Preparation, selections: Sequence[Selection]) -> None:
        self._preparation, self._selections = preparation, tuple(selections)
        self._columns = [[name for name in preparation.columns if name in each.table.columns] for each in selections]

    def __getitems__(self, jobs: Sequence[Job]) -> list[Sample] | ZooError:
        """Samples of the rows, or what is wrong with one."""
        try:
            return [self.sample(*job) for job in jobs]
        except ZooError as error:
            return error

    def sample(self, place: Place, seed: int) -> Sample:
        """The sample of one row.

        Raises:
            CellError: It cannot be used.
        """
        number, position = place
        selection = self._selections[number]
        row = int(selection.numbers[position])
        (cells,) = selection.table.rows([row], self._columns[number])
        return self._preparation.sample(selection.table, row, cells, selection.heads, seed)


class Workers(Generic[JobT, SampleT]):
    """Prepares batch after batch.

    Args:
        work: How.
        processes: How many worker processes; None starts as many as there are processors, once two batches have shown
            that this is worth it.
    """

    def __init__(self, work: Prepares[JobT, SampleT], processes: int | None) -> None:
        self._work, self._processes = work, processes
        self._paces: list[float] = []

    def prepared(self, batches: Iterator[list[JobT]], rows: int) -> Iterator[Sequence[SampleT]]:
        """Samples of each batch.

        Args:
            batches: Asked for ahead of their use, by worker processes.
            rows: How many there are in all of them, for judging what is worth it.

        Raises:
            ZooError: A row cannot be prepared.
        """
        for jobs in batches:
            if processes := self._worth(rows):
                yield from map(_checked, map(unpack, self._in_processes(chain([jobs], batches), processes)))
                return
            started = time.perf_counter()
            samples = _checked(self._work.__getitems__(jobs))
            if jobs and len(self._paces) < 2:
                self._paces.append((time.perf_counter() - started) / len(jobs))
            rows -= len(jobs)
            yield samples

    def _worth(self, rows: int) -> int:
        """How many worker processes so many rows are worth."""
        if self._processes is not None:
            return self._processes if rows > 0 else 0
        if len(self._paces) < 2 or min(self._paces) * rows < WORTH:
            return 0
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(processors, MOST) if processors > 1 else 0

    def _in_processes(self, batches: Iterable[list[JobT]], processes: int) -> Iterable[Parcel]:
        # The generator is there so that no number is drawn from torch's own, which dropout draws from.
        return DataLoader(
            self._work,  # type: ignore[arg-type]  # it has no __getitem__, which is not called
            batch_sampler=batches,
            num_workers=processes,
            collate_fn=pack,
            generator=torch.Generator(),
        )


def _checked(samples: Sequence[SampleT] | ZooError) -> Sequence[SampleT]:
    if isinstance(samples, ZooError):
        raise samples
    return samples
