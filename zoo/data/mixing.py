"""Mixup and CutMix: each row of a batch becomes a mixture of itself and another, with the labels of both."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.component import Modality
from zoo.contract import ValueSpec
from zoo.errors import UsageError
from zoo.features import Batch, Targets, Values
from zoo.spec.sections import Spec

Partners = Int[np.ndarray, "batch"]
Box = tuple[float, float, float, float]
"""Top, left, bottom and right of a rectangle, as shares of a picture's sides."""


class Mixing:
    """Mixes rows in pairs: one share for a batch, the same partner of a row in all inputs and labels.

    Rows are paired with rows that lack the same inputs and labels; a row alone in that stays as it is. The loss of a
    mixture is that of both labels, by their shares (mixup, Zhang et al. 2018). CutMix (Yun et al. 2019) puts a
    rectangle of the partner's picture in its place, and averages inputs that are no pictures.

    Args:
        mixup: Parameter of the Beta distribution of shares; 0 is no mixup.
        cutmix: The same for CutMix. Where both are given, each batch is mixed in one of both ways.
        pictures: Names of the inputs that are cut.
    """

    def __init__(self, mixup: float, cutmix: float, pictures: list[str]) -> None:
        self.mixup, self.cutmix, self.pictures = mixup, cutmix, pictures

    def __call__(self, batch: Batch, seed: int) -> Batch:
        """The mixed batch.

        Args:
            batch: A collated batch, on the CPU.
            seed: Of the pairs and shares.

        Raises:
            UsageError: Values of an input differ in size.
        """
        for name, values in batch.inputs.items():
            _check(name, values)
        random = np.random.default_rng(seed)
        cut = bool(self.cutmix) and (not self.mixup or random.random() < 0.5)
        alpha = self.cutmix if cut else self.mixup
        share = random.beta(alpha, alpha)
        partners = _partners(batch, random)
        box = _box(share, random, batch.inputs[self.pictures[0]]) if cut else None
        if box is not None:
            share = 1 - (box[2] - box[0]) * (box[3] - box[1])
        inputs = {
            name: _cut(values, partners, box) if box and name in self.pictures else _averaged(values, partners, share)
            for name, values in batch.inputs.items()
        }
        targets = {name: _paired(targets, partners, share) for name, targets in batch.targets.items()}
        return replace(batch, inputs=inputs, targets=targets)


def make_mixing(spec: Spec, values: Mapping[str, ValueSpec]) -> Mixing | None:
    """What mixes the rows of a spec's training; None where it asks for none.

    Args:
        spec: The spec.
        values: What the values of each input are.

    Raises:
        UsageError: An input has categories, which have no average.
    """
    if not spec.train.mixup and not spec.train.cutmix:
        return None
    for name, value in values.items():
        if any(value.categories):
            key = "mixup" if spec.train.mixup else "cutmix"
            raise UsageError(
                f"`train.{key}` averages samples, but `inputs.{name}` has categories, which have no average: leave one "
                "of both out"
            )
    pictures = [name for name, value in values.items() if value.modality == Modality.IMAGE]
    return Mixing(spec.train.mixup, spec.train.cutmix, pictures)


def _partners(batch: Batch, random: np.random.Generator) -> Partners:
    """The row that each row is mixed with: of those that have and lack the same, in random order."""
    columns = [values.present for values in batch.inputs.values() if values.present is not None]
    for targets in batch.targets.values():
        if targets.rows is not None:
            columns.append(torch.zeros(len(batch), dtype=torch.bool).index_fill(0, targets.rows, True))
    alike: dict[tuple[bool, ...], list[int]] = {}
    for row in range(len(batch)):
        alike.setdefault(tuple(bool(column[row]) for column in columns), []).append(row)
    partners = np.arange(len(batch))
    for rows in alike.values():
        partners[rows] = random.permutation(rows)
    return partners


def _box(share: float, random: np.random.Generator, pictures: Values) -> Box:
    """A rectangle of whole pixels about a random point, of the share that a partner has; what stands out is cut off."""
    assert isinstance(pictures.data, Tensor)
    half, middle, size = np.sqrt(1 - share) / 2, random.random(2), np.array(pictures.data.shape[-2:])
    ends = np.stack([middle - half, middle + half]).clip(0, 1)
    top, left, bottom, right = (np.round(ends * size) / size).ravel().tolist()
    return top, left, bottom, right


def _averaged(values: Values, partners: Partners, share: float) -> Values:
    data = values.data
    assert isinstance(data, Tensor)
    return replace(values, data=torch.lerp(data, data[torch.from_numpy(partners)], 1 - share))


def _cut(values: Values, partners: Partners, box: Box) -> Values:
    data = values.data
    assert isinstance(data, Tensor)
    top, left, bottom, right = box
    height, width = data.shape[-2:]
    rows = slice(round(top * height), round(bottom * height))
    columns = slice(round(left * width), round(right * width))
    mixed = data.clone()
    mixed[..., rows, columns] = data[torch.from_numpy(partners)][..., rows, columns]
    return replace(values, data=mixed)


def _paired(targets: Targets, partners: Partners, share: float) -> Targets:
    """The labels, with those of the partners, which are labelled where the rows are."""
    chosen = torch.from_numpy(partners)
    if targets.rows is not None:
        place = torch.full((len(partners),), -1).index_copy(0, targets.rows, torch.arange(len(targets.rows)))
        chosen = place[chosen[targets.rows]]
    other = pytree.tree_map_only(Tensor, lambda labels: labels[chosen], targets.value)
    return replace(targets, other=other, share=share)


def _check(name: str, values: Values) -> None:
    if isinstance(values.data, list) or values.lengths is not None or not values.data.is_floating_point():
        raise UsageError(
            f"`train.mixup` and `train.cutmix` need values of one size, and those of `inputs.{name}` differ in size or "
            "are no numbers: leave them out, or take a backbone that resizes its pictures"
        )
