"""Batches of the rows of tables, epoch by epoch; what was prepared once is kept as long as there is room."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray

from zoo.data.augment import NONE, Augmentation
from zoo.data.collate import Collation
from zoo.data.columns import part_columns
from zoo.data.feature_store import StoredRows
from zoo.data.kept import Block, Kept, Numbers
from zoo.data.lengths import lengths_of
from zoo.data.mixing import Mixing
from zoo.data.order import Draws, batch_count, batches, bucketed, drawn_rows, in_order, seed_of, seeds_of, shuffled
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, Sample
from zoo.data.step import Join, Place, Share, Step
from zoo.data.workers import Job, Work, Workers
from zoo.features import Batch, Features, Values

ROOM = 1 << 30
"""Bytes of prepared samples that a loader keeps."""


Rows = tuple[Draws, list[int]]
"""Rows that belong together: where each stands, and its seed by its number in the epoch."""


class Loader:
    """Batches of some rows, in order, when iterated over; by `epoch`, the steps of an epoch of training.

    Which rows come together depends on the seed and the epoch alone, and what a row becomes, augmented or mixed, on
    these and its place in the order: neither on what was kept, nor on how many processes prepare.

    Args:
        model: Whose parts prepare the rows.
        selections: The rows.
        batch_size: Rows of a batch; a last one of a single row joins the batch before it.
        seed: Of order and views.
        absent: Inputs that count as absent from every row.
        augmentation: What is changed at random; nothing unless given.
        room: Bytes of prepared samples that are kept. Where values are augmented or a head makes views, none are.
        processes: Worker processes that prepare; None starts them where they are worth it.
        share: Which part of the rows is given here, where several processes train together.
        stored: Inputs whose features are known already, for each selection; their cells are not read.
        bucket: Whether the rows of a step have about the same length.
    """

    def __init__(
        self,
        model: Parts,
        selections: Sequence[Selection],
        *,
        batch_size: int,
        seed: int = 0,
        absent: Collection[str] = (),
        augmentation: Augmentation = NONE,
        room: int = ROOM,
        processes: int | None = None,
        share: Share | None = None,
        stored: Mapping[str, Sequence[StoredRows]] | None = None,
        bucket: bool = False,
    ) -> None:
        self._stored, self._names = dict(stored or {}), tuple(model.spec.inputs)
        heads = frozenset().union(*(each.heads for each in selections))
        preparation = Preparation(model, heads, [*absent, *self._stored], augmentation.inputs, some=bool(self._stored))
        padding = {name: model.backbone(name).padding_value for name in self._names if name not in self._stored}
        self.batch_size, self.seed, self.share = batch_size, seed, share or Share()
        self.selections = tuple(selections)
        self._lengths = [len(each.numbers) for each in selections]
        self._cells = lengths_of(model, selections, absent) if bucket else None
        self._columns = {name: part_columns(section) for name, section in model.spec.heads.items()}
        self._collate = Collation(padding, preparation.heads)
        self._mixing = augmentation.mixing
        self._workers = Workers(Work(preparation, selections), processes)
        self._kept = Kept(self._lengths, room if preparation.fixed else 0, self._collate)

    def __len__(self) -> int:
        """Steps of an epoch."""
        rows = sum(drawn_rows(len(each.numbers), each.weight) for each in self.selections)
        return batch_count(rows, self.batch_size, self.share.processes)

    def __iter__(self) -> Iterator[Batch]:
        """Every row of this share once, in order; the batches are those that there are without shares."""
        whole = list(batches(in_order(self._lengths), self.batch_size))
        seeds = seeds_of((self.seed, 0), 0, self.batch_size + 1)  # a single last row joins the batch before it
        for join in self._joins([(draws, seeds[: len(draws)]) for draws in self.share.of(whole)]):
            yield join(slice(None))

    def epoch(self, number: int, first: int = 0) -> Iterator[Step]:
        """The steps of an epoch, in random order; of each selection as many rows as its weight says.

        Args:
            number: Of the epoch, from 1.
            first: How many steps to pass by: those that were made before a training was interrupted.
        """
        weights = [each.weight for each in self.selections]
        order = shuffled(self._lengths, weights, self.seed, number)
        if self._cells is not None:
            lengths = np.array([self._cells[selection][position] for selection, position in order.tolist()])
            order = bucketed(order, lengths, self.batch_size, self.seed, number)
        whole = list(batches(order, self.batch_size, self.share.processes))[first:]
        seeds = seeds_of((self.seed, number), 0, len(order))
        mine = []
        for step, draws in enumerate(whole, first):
            part, start = self.share.slice(len(draws)), step * self.batch_size
            mine.append((draws[part], seeds[start + part.start : start + part.stop]))
        parts = zip(whole, mine, self._joins(mine), strict=True)
        for step, (draws, (own, _), join) in enumerate(parts, first):
            mix = (
                None
                if self._mixing is None
                else partial(_mixed, self._mixing, self.seed, number, step, self.share.rank)
            )
            yield Step(own, len(draws), self._count_labelled(draws), join, mix)

    def place(self, place: Place) -> str:
        """Where a row of a step stands, for messages: "`train.csv`, line 17"."""
        selection = self.selections[place[0]]
        return selection.table.place(int(selection.numbers[place[1]]))

    def _joins(self, parts: Sequence[Rows]) -> Iterator[Join]:
        """For each of the parts what makes batches of it."""
        block = self._kept.block
        if block is not None:
            for rows in parts:
                yield partial(self._from_block, block, self._kept.numbers(rows[0]), rows)
            return
        for rows, samples in self._prepared(parts):
            yield partial(self._from_samples, samples, rows)

    def _prepared(self, parts: Sequence[Rows]) -> Iterator[tuple[Rows, list[Sample]]]:
        """The parts with their samples."""
        asked: deque[tuple[list[int], list[Sample | None]]] = deque()

        def lacking() -> Iterator[list[Job]]:
            for draws, seeds in parts:
                numbers = self._kept.numbers(draws).tolist()
                kept = self._kept.find(numbers)
                asked.append((numbers, kept))
                places: list[Place] = [(selection, position) for selection, position in draws.tolist()]
                yield [(place, seed) for place, seed, each in zip(places, seeds, kept, strict=True) if each is None]

        prepared = self._workers.prepared(lacking(), sum(len(draws) for draws, _ in parts) - len(self._kept))
        for rows, samples in zip(parts, prepared, strict=True):
            fresh, (numbers, kept) = iter(samples), asked.popleft()
            pairs = zip(numbers, kept, strict=True)
            yield rows, [self._kept.keep(number, next(fresh)) if each is None else each for number, each in pairs]

    def _from_samples(self, samples: Sequence[Sample], rows: Rows, part: slice) -> Batch:
        draws, seeds = rows
        return self._with_features(self._collate(samples[part], seeds[part]), draws[part])

    def _from_block(self, block: Block, numbers: Numbers, rows: Rows, part: slice) -> Batch:
        draws, seeds = rows
        return self._with_features(block.batch(numbers[part], seeds[part]), draws[part])

    def _with_features(self, batch: Batch, draws: Draws) -> Batch:
        """The batch with the features that are known already."""
        if not self._stored:
            return batch
        features = {name: _features(rows, draws) for name, rows in self._stored.items()}
        known = {name: Values(torch.zeros(len(draws), 1), None, each.present) for name, each in features.items()}
        return replace(
            batch,
            inputs={name: known[name] if name in known else batch.inputs[name] for name in self._names},
            features=features,
        )

    def _count_labelled(self, draws: Draws) -> dict[str, int]:
        """How many of the rows have a label of each head."""
        return {
            name: len(draws)
            if name in self._whole
            else sum(int(known[draws[draws[:, 0] == number, 1]].sum()) for number, known in enumerate(each))
            for name, each in self._labelled.items()
        }

    @cached_property
    def _whole(self) -> frozenset[str]:
        """The heads of which every row has the label."""
        return frozenset(name for name, each in self._labelled.items() if all(known.all() for known in each))

    @cached_property
    def _labelled(self) -> dict[str, list[Bool[np.ndarray, "_"]]]:
        """For each head and selection, which of the rows have its label."""
        return {
            name: [_labelled(selection, columns, name) for selection in self.selections]
            for name, columns in self._columns.items()
        }


def _features(rows: Sequence[StoredRows], draws: Draws) -> Features:
    """The features of rows that stand in several selections."""
    numbers, positions = draws.T
    if len(rows) == 1:
        return rows[0].features(positions)
    first = rows[numbers[0]]
    stored = first.places[positions * (numbers == numbers[0])]
    for number in np.unique(numbers[numbers != numbers[0]]):
        stored[numbers == number] = rows[number].places[positions[numbers == number]]
    found: Features = first.store.features(stored)
    return found


def _mixed(mixing: Mixing, seed: int, epoch: int, step: int, rank: int, batch: Batch, part: int) -> Batch:
    return mixing(batch, seed_of(seed, epoch, "mixing", step, rank, part))


def _labelled(selection: Selection, columns: Sequence[str], head: str) -> Bool[np.ndarray, "_"]:
    if head not in selection.heads or not columns:
        return np.full(len(selection.numbers), head in selection.heads)
    filled = np.logical_or.reduce([selection.table.filled(column) for column in columns])
    known: NDArray[np.bool_] = filled[selection.numbers]
    return known
