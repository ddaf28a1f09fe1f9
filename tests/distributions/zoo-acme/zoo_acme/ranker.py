"""A head: scores whose order is that of the labels, learnt from pairs of rows (Herbrich et al. 2000)."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, SupportsFloat

import torch
from torch import Tensor, nn

from zoo import Head, HeadContext, Metric, Reading
from zoo_acme import Ranker


def concordance(rows: Mapping[str, Any]) -> float:
    """Share of the pairs of different labels whose scores are in the same order; NaN where there is no such pair."""
    pairs = rows["label"][:, None] > rows["label"]
    ahead = (rows["score"][:, None] - rows["score"])[pairs]
    return float(((ahead > 0).float() + (ahead == 0).float() / 2).mean())


class RankingHead(Head):
    """A linear score. Of two rows, that of the greater label shall be ahead by a margin; scores have no unit."""

    metrics = {"concordance": Metric(concordance, doc="Share of the pairs that are in the right order; 0.5 is chance.")}

    def __init__(self, options: Ranker, context: HeadContext) -> None:
        super().__init__()
        self.margin, self.reduction = options.margin, options.reduction
        self.score = nn.Linear(context.features.pooled_dim, 1, bias=False)  # a bias would cancel out in every pair

    def forward(self, reading: Reading, targets: Any = None) -> Tensor:
        """A score for each row, `(batch,)`."""
        return self.score(reading.fused.pooled).squeeze(1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Hinge loss of all pairs of rows whose labels differ; 0 where none do."""
        pairs = targets[:, None] > targets
        losses = (self.margin - (outputs[:, None] - outputs)).clamp(min=0) * pairs
        return losses.sum() / pairs.sum().clamp(min=1) if self.reduction == "mean" else losses.sum()

    def decode(self, outputs: Tensor) -> list[float]:
        """The scores."""
        return outputs.tolist()

    def label(self, cell: Any) -> float:
        """A label is a number; the greater, the better."""
        if not isinstance(cell, str | SupportsFloat) or not isfinite(float(cell)):
            raise ValueError(f"{cell!r} cannot be ranked")
        return float(cell)

    def collate(self, labels: Sequence[float]) -> Tensor:
        """The labels of a batch, `(batch,)`."""
        return torch.tensor(labels)

    def example(self, batch: int) -> Tensor:
        """Labels that all differ: the loss of so many rows takes their square."""
        return torch.arange(batch, dtype=torch.float32)

    def rows(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Score and label of each row."""
        return {"score": outputs, "label": targets}
