"""From samples to a batch: stacked where shapes agree, padded where first dimensions differ, else listed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from zoo.contract import Head
from zoo.data.samples import Sample, View
from zoo.features import Batch, Targets, Values

MISSING: Any = object()
"""In the place of a label that a sample lacks."""


class Collation:
    """Joins samples.

    Args:
        padding: What stands under padding, by input.
        heads: Heads whose labels are joined, by name.
    """

    def __init__(self, padding: Mapping[str, float], heads: Mapping[str, Head]) -> None:
        self.padding, self.heads = dict(padding), dict(heads)

    def __call__(self, samples: Sequence[Sample], seeds: Sequence[int] = ()) -> Batch:
        """The samples as one batch. Every input has its values there, were it absent from all of them.

        Args:
            samples: The samples.
            seeds: Of what is drawn at random for each.
        """
        return Batch(
            inputs={name: self._values(name, [sample.inputs for sample in samples]) for name in self.padding},
            targets=self.targets({name: [each.labels.get(name, MISSING) for each in samples] for name in self.heads}),
            views={
                name: self._views(name, samples) for name in self.heads if any(name in each.views for each in samples)
            },
            ids=tuple(sample.row for sample in samples),
            seeds=tuple(seeds),
        )

    def targets(self, labels: Mapping[str, Sequence[Any]]) -> dict[str, Targets]:
        """The labels of those samples that have one, by head; heads of which no sample has are left out.

        Args:
            labels: Of each sample, or MISSING.
        """
        targets = {}
        for name, each in labels.items():
            known = [label for label in each if label is not MISSING]
            rows = None
            if len(known) < len(each):
                rows = torch.tensor([row for row, label in enumerate(each) if label is not MISSING])
            if known:
                targets[name] = Targets(self.heads[name].collate(known), rows)
        return targets

    def _values(self, name: str, views: Sequence[View]) -> Values:
        return join([view.get(name) for view in views], self.padding[name])

    def _views(self, name: str, samples: Sequence[Sample]) -> tuple[Mapping[str, Values], ...]:
        """Each view of all samples; samples without views are absent from them."""
        count = max(len(sample.views.get(name, ())) for sample in samples)
        blank: tuple[View, ...] = ({},) * count
        views = zip(*(sample.views.get(name, blank) for sample in samples), strict=True)
        return tuple(
            {each: self._values(each, view) for each in self.padding if any(each in one for one in view)}
            for view in views
        )


def join(tensors: Sequence[Tensor | None], padding: float) -> Values:
    """One input's tensors of a batch; None where a sample lacks it.

    Args:
        tensors: For each sample.
        padding: What stands behind those that are shorter than the longest.
    """
    known = [tensor for tensor in tensors if tensor is not None]
    present = None if len(known) == len(tensors) else torch.tensor([tensor is not None for tensor in tensors])
    if not known:
        return Values(torch.zeros(len(tensors), 1), None, present)
    shapes = {tensor.shape for tensor in known}
    if len(shapes) == 1:
        blank = torch.zeros_like(known[0])
        return Values(torch.stack([blank if tensor is None else tensor for tensor in tensors]), None, present)
    blank = known[0].new_zeros([0, *known[0].shape[1:]])
    filled = [blank if tensor is None else tensor for tensor in tensors]
    if len({shape[1:] for shape in shapes}) > 1:
        return Values(filled, None, present)
    lengths = torch.tensor([len(tensor) for tensor in filled])
    return Values(pad_sequence(filled, batch_first=True, padding_value=padding), lengths, present)
