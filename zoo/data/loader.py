"""Batches of the rows of tables, epoch by epoch; what was prepared once is kept as long as there is room."""

import hashlib
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import count

from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.data.collate import Collation
from zoo.data.order import Draws, batch_count, batches, drawn_rows, in_order, shuffled
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, Sample
from zoo.data.workers import Job, Place, Work, Workers
from zoo.features import Batch

ROOM = 1 << 30
"""Bytes of prepared samples that a loader keeps."""


class Loader:
    """Batches of some rows: in order when iterated over, shuffled by `epoch`.

    Which rows come together depends on the seed and the epoch alone, and what a row becomes on these and its place in
    the order: neither on what was kept, nor on how many processes prepare.

    Args:
        model: Whose parts prepare the rows.
        selections: The rows.
        batch_size: Rows of a batch; a last one of a single row joins the batch before it.
        seed: Of order and views.
        absent: Inputs that count as absent from every row.
        room: Bytes of prepared samples that are kept. Where a head makes random views, none are.
        processes: Worker processes that prepare; None starts them where they are worth it.
    """

    def __init__(
        self,
        model: Parts,
        selections: Sequence[Selection],
        *,
        batch_size: int,
        seed: int = 0,
        absent: Collection[str] = (),
        room: int = ROOM,
        processes: int | None = None,
    ) -> None:
        preparation = Preparation(model, frozenset().union(*(each.heads for each in selections)), absent)
        padding = {name: model.backbone(name).padding_value for name in model.spec.inputs}
        self.batch_size, self.seed = batch_size, seed
        self.selections = tuple(selections)
        self._lengths = [len(each.numbers) for each in selections]
        self._collate = Collation(padding, preparation.heads)
        self._workers = Workers(Work(preparation, selections), processes)
        self._kept: dict[Place, Sample] = {}
        self._room = room if preparation.fixed else 0

    def __len__(self) -> int:
        """Batches of an epoch."""
        rows = sum(drawn_rows(len(each.numbers), each.weight) for each in self.selections)
        return batch_count(rows, self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Every row once, in order."""
        return self._batches(in_order(self._lengths), 0)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The rows of an epoch, counted from 1, in random order; of each selection as many as its weight says."""
        weights = [each.weight for each in self.selections]
        return self._batches(shuffled(self._lengths, weights, self.seed, number), number)

    def _batches(self, draws: Draws, epoch: int) -> Iterator[Batch]:
        asked: deque[list[tuple[Place, Sample | None]]] = deque()

        def lacking() -> Iterator[list[Job]]:
            """What is not kept of each batch, each row with a seed of its own."""
            order = count()
            for batch in batches(draws, self.batch_size):
                places: list[Place] = [(selection, position) for selection, position in batch.tolist()]
                asked.append([(place, self._kept.get(place)) for place in places])
                seeds = [_seed(self.seed, epoch, next(order)) for _ in places]
                yield [(place, seed) for (place, kept), seed in zip(asked[-1], seeds, strict=True) if kept is None]

        for prepared in self._workers.prepared(lacking(), len(draws) - len(self._kept)):
            fresh = iter(prepared)
            yield self._collate([kept or self._keep(place, next(fresh)) for place, kept in asked.popleft()])

    def _keep(self, place: Place, sample: Sample) -> Sample:
        """The sample, kept if there is room for it: as a copy, because worker processes share its memory with us."""
        size = sum(tensor.nbytes for tensor in sample.inputs.values())
        if place in self._kept or size > self._room:
            return sample
        self._room -= size
        inputs = {name: tensor.clone() for name, tensor in sample.inputs.items()}
        labels = pytree.tree_map_only(Tensor, Tensor.clone, dict(sample.labels))
        self._kept[place] = kept = replace(sample, inputs=inputs, labels=labels)
        return kept


def _seed(*parts: int) -> int:
    """A seed that differs wherever a part does."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest())
