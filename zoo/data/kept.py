"""Prepared rows that are kept: one by one while there is room, and together once all of them are there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.data.collate import MISSING, Collation, join
from zoo.data.order import Draws
from zoo.data.samples import Sample
from zoo.features import Batch, Values

Numbers = Int[np.ndarray, "rows"]
"""Rows by their place among those of all selections, one selection after the other."""

PADDED = 2
"""How many times as many values as the rows have may stand in one tensor of all of them."""


class Kept:
    """Prepared rows, kept as they come while there is room.

    Args:
        lengths: Rows of each selection.
        room: Bytes.
        collation: How rows are joined.
    """

    def __init__(self, lengths: Sequence[int], room: int, collation: Collation) -> None:
        self._first = np.cumsum([0, *lengths])[:-1]
        self._samples: list[Sample | None] = [None] * sum(lengths)
        self._room, self._used, self._collation = room, 0, collation
        self._block: Block | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def numbers(self, draws: Draws) -> Numbers:
        """Which rows these are."""
        numbers: Numbers = self._first[draws[:, 0]] + draws[:, 1]
        return numbers

    def find(self, numbers: Sequence[int]) -> list[Sample | None]:
        """What is kept of rows."""
        return [self._samples[number] for number in numbers]

    def keep(self, number: int, sample: Sample) -> Sample:
        """The sample, kept if there is room for it: as a copy, because worker processes share its memory with us."""
        size = sum(tensor.nbytes for tensor in sample.inputs.values())
        full = self._block is not None or self._samples[number] is not None or self._used + size > self._room
        if not self._room or full:
            return sample
        self._used += size
        self._count += 1
        inputs = {name: tensor.clone() for name, tensor in sample.inputs.items()}
        labels = pytree.tree_map_only(Tensor, Tensor.clone, dict(sample.labels))
        self._samples[number] = kept = replace(sample, inputs=inputs, labels=labels)
        return kept

    @property
    def block(self) -> "Block | None":
        """All rows together; None as long as some are lacking, or where there is no room for what is made of them."""
        if self._block is None and self._count == len(self._samples) and (1 + PADDED) * self._used <= self._room:
            samples = [each for each in self._samples if each is not None]
            self._samples = [None] * len(samples)
            self._block = Block(samples, self._collation)
        return self._block


class Block:
    """All rows together. A batch of some of them is that which `Collation` would join, made by index.

    Args:
        samples: The rows.
        collation: How they are joined.
    """

    def __init__(self, samples: Sequence[Sample], collation: Collation) -> None:
        self._collation = collation
        self._inputs = {
            name: _together([each.inputs.get(name) for each in samples], padding)
            for name, padding in collation.padding.items()
        }
        self._labels = {name: [each.labels.get(name, MISSING) for each in samples] for name in collation.heads}
        self._ids = np.array([each.row for each in samples], np.int64)

    def batch(self, numbers: Numbers, seeds: Sequence[int]) -> Batch:
        """Some rows as one batch.

        Args:
            numbers: Which.
            seeds: Of what is drawn at random for each.
        """
        index, chosen = torch.from_numpy(numbers), numbers.tolist()
        labels: Mapping[str, list[Any]] = {
            name: [each[number] for number in chosen] for name, each in self._labels.items()
        }
        return Batch(
            inputs={name: each.rows(index) for name, each in self._inputs.items()},
            targets=self._collation.targets(labels),
            ids=tuple(self._ids[numbers].tolist()),
            seeds=tuple(seeds),
        )


class _Joined(Protocol):
    def rows(self, index: Int[Tensor, "chosen"]) -> Values:
        """Some rows, as `join` gives them."""


class _Stacked:
    """Rows in one tensor."""

    def __init__(self, values: Values) -> None:
        assert isinstance(values.data, Tensor)
        self._data, self._lengths, self._present = values.data, values.lengths, values.present

    def rows(self, index: Int[Tensor, "chosen"]) -> Values:
        present = None if self._present is None else self._present.index_select(0, index)
        if present is not None and bool(present.all()):
            present = None
        if self._lengths is None:
            return Values(self._data.index_select(0, index), None, present)
        lengths = self._lengths.index_select(0, index)
        real = lengths if present is None else lengths[present]
        longest = int(real.max()) if len(real) else 0
        data = self._data[:, :longest].index_select(0, index)
        return Values(data, None if bool((real == longest).all()) else lengths, present)


class _Apart:
    """Rows that are joined anew for each batch."""

    def __init__(self, tensors: Sequence[Tensor | None], padding: float) -> None:
        self._tensors, self._padding = tensors, padding

    def rows(self, index: Int[Tensor, "chosen"]) -> Values:
        return join([self._tensors[number] for number in index.tolist()], self._padding)


def _together(tensors: Sequence[Tensor | None], padding: float) -> _Joined:
    """Rows in one tensor, where their shapes allow it and not too much of it is padding."""
    known = [each for each in tensors if each is not None]
    steps = [each.shape[0] if each.ndim else 1 for each in known]
    one = len({each.shape for each in known}) == 1 or len({each.shape[1:] for each in known}) == 1
    if one and len(tensors) * max(steps) <= PADDED * sum(steps):
        return _Stacked(join(tensors, padding))
    return _Apart(tensors, padding)
