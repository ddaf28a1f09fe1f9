"""Batches of the rows of tables, epoch by epoch; what was prepared once is kept as long as there is room."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.data.augment import NONE, Augmentation
from zoo.data.collate import Collation
from zoo.data.columns import part_columns
from zoo.data.feature_store import StoredRows
from zoo.data.lengths import lengths_of
from zoo.data.mixing import Mixing
from zoo.data.order import Draws, batch_count, batches, bucketed, drawn_rows, in_order, seed_of, seeds_of, shuffled
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, Sample
from zoo.data.step import Place, Share, Step
from zoo.data.workers import Job, Work, Workers
from zoo.features import Batch, Features, Values

ROOM = 1 << 30
"""Bytes of prepared samples that a loader keeps."""


@dataclass(frozen=True)
class _Asked:
    """Rows that were asked for together: where each stands, its seed, and what is kept of it already."""

    places: list[Place]
    seeds: list[int]
    kept: list[Sample | None]

    @property
    def lacking(self) -> list[Job]:
        """What is to be prepared."""
        return [(place, seed) for place, seed, kept in zip(self.places, self.seeds, self.kept, strict=True) if not kept]


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
        self._kept: dict[Place, Sample] = {}
        self._room = room if preparation.fixed else 0

    def __len__(self) -> int:
        """Steps of an epoch."""
        rows = sum(drawn_rows(len(each.numbers), each.weight) for each in self.selections)
        return batch_count(rows, self.batch_size, self.share.processes)

    def __iter__(self) -> Iterator[Batch]:
        """Every row of this share once, in order; the batches are those that there are without shares."""
        whole = list(batches(in_order(self._lengths), self.batch_size))
        seeds = seeds_of((self.seed, 0), 0, self.batch_size + 1)  # a single last row joins the batch before it
        for asked, samples in self._prepared([(draws, seeds[: len(draws)]) for draws in self.share.of(whole)]):
            yield self._join(samples, asked.seeds, asked.places)

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
        for step, (draws, (asked, samples)) in enumerate(zip(whole, self._prepared(mine), strict=True), first):
            mix = (
                None
                if self._mixing is None
                else partial(_mixed, self._mixing, self.seed, number, step, self.share.rank)
            )
            labelled = self._count_labelled(draws)
            yield Step(samples, asked.seeds, asked.places, len(draws), labelled, self._join, mix)

    def place(self, place: Place) -> str:
        """Where a row of a step stands, for messages: "`train.csv`, line 17"."""
        selection = self.selections[place[0]]
        return selection.table.place(int(selection.numbers[place[1]]))

    def _prepared(self, parts: Sequence[tuple[Draws, list[int]]]) -> Iterator[tuple[_Asked, list[Sample]]]:
        """Rows that belong together, with their samples.

        Args:
            parts: Draws, each row with a seed of what is drawn at random for it, by its number in the epoch.
        """
        asked: deque[_Asked] = deque()

        def lacking() -> Iterator[list[Job]]:
            for draws, seeds in parts:
                places: list[Place] = [(selection, position) for selection, position in draws.tolist()]
                asked.append(_Asked(places, seeds, [self._kept.get(place) for place in places]))
                yield asked[-1].lacking

        rows = sum(len(draws) for draws, _ in parts)
        for prepared in self._workers.prepared(lacking(), rows - len(self._kept)):
            fresh, mine = iter(prepared), asked.popleft()
            pairs = zip(mine.places, mine.kept, strict=True)
            yield mine, [kept or self._keep(place, next(fresh)) for place, kept in pairs]

    def _join(self, samples: Sequence[Sample], seeds: Sequence[int], places: Sequence[Place]) -> Batch:
        """The samples as one batch, with the features that are known already."""
        batch = self._collate(samples, seeds)
        if not self._stored:
            return batch
        features = {name: _features(rows, places) for name, rows in self._stored.items()}
        known = {name: Values(torch.zeros(len(samples), 1), None, each.present) for name, each in features.items()}
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
    def _labelled(self) -> dict[str, list[Bool[NDArray[np.bool_], "_"]]]:
        """For each head and selection, which of the rows have its label."""
        return {
            name: [_labelled(selection, columns, name) for selection in self.selections]
            for name, columns in self._columns.items()
        }

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


def _features(rows: Sequence[StoredRows], places: Sequence[Place]) -> Features:
    """The features of rows that stand in several selections."""
    numbers, positions = np.array(places, np.int64).T
    first = rows[numbers[0]]
    stored = first.places[positions * (numbers == numbers[0])]
    for number in np.unique(numbers[numbers != numbers[0]]):
        stored[numbers == number] = rows[number].places[positions[numbers == number]]
    found: Features = first.store.features(stored)
    return found


def _mixed(mixing: Mixing, seed: int, epoch: int, step: int, rank: int, batch: Batch, part: int) -> Batch:
    return mixing(batch, seed_of(seed, epoch, "mixing", step, rank, part))


def _labelled(selection: Selection, columns: Sequence[str], head: str) -> Bool[NDArray[np.bool_], "_"]:
    if head not in selection.heads or not columns:
        return np.full(len(selection.numbers), head in selection.heads)
    filled = np.logical_or.reduce([selection.table.filled(column) for column in columns])
    known: NDArray[np.bool_] = filled[selection.numbers]
    return known
