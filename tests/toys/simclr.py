"""Contrastive learning of two views, as SimCLR does (Chen et al. 2020)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.toys.declarations import Contrast
from zoo.contract import Head, HeadContext
from zoo.features import Reading


def build(options: Contrast, context: HeadContext) -> "Contrastive":
    return Contrastive(options, context)


class Contrastive(Head):
    """Two views of a picture shall be nearer to each other than to those of any other picture."""

    def __init__(self, options: Contrast, context: HeadContext) -> None:
        super().__init__()
        self.temperature = options.temperature
        (self.input,) = context.inputs
        width = context.inputs[self.input].pooled_dim
        self.projection = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, options.dim))

    def views(self, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return [{self.input: _augmented(values[self.input])} for _ in range(2)]

    def forward(self, reading: Reading, targets: Any = None) -> Tensor:
        """`(batch, views, dim)`; the picture itself where there are no views."""
        pooled = [view[self.input].pooled for view in reading.views] or [reading.fused.pooled]
        return torch.stack([self.projection(each) for each in pooled], 1)

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        return nt_xent(outputs[:, 0], outputs[:, 1], self.temperature)

    def decode(self, outputs: Any) -> list[Any]:
        embeddings: list[Any] = outputs[:, 0].tolist()
        return embeddings


def _augmented(picture: Tensor) -> Tensor:
    """Flipped or not, brighter or darker."""
    flipped = picture.flip(-1) if torch.rand(()) < 0.5 else picture
    return flipped * (0.5 + torch.rand(()))


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of each view's other view among all the others in the batch, by cosine similarity."""
    views = F.normalize(torch.cat([first, second]), dim=1)
    similarity = (views @ views.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(similarity, torch.arange(len(views), device=views.device).roll(len(first)))
