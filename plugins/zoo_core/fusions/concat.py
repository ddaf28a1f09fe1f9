"""Concatenation of pooled features."""

from collections.abc import Mapping

import torch
from torch import nn

from zoo.component import FeatureSpec
from zoo.contract import Fusion, FusionContext
from zoo.features import Features
from zoo_core.declarations.fusions import Concat
from zoo_core.fusions.pooled import Projections, joined, single_token


def build(options: Concat, context: FusionContext) -> "ConcatFusion":
    """The fusion of the inputs that the context describes."""
    return ConcatFusion(options, context.inputs)


class ConcatFusion(Fusion):
    """W [h_1; ...; h_M] + b over the projected pooled features h (the shared layer of Ngiam et al. 2011).

    Ours has a learned vector in the place of an absent input. It starts at zero, the mean of projected features, so
    that absence which training never saw says nothing.
    """

    def __init__(self, options: Concat, inputs: Mapping[str, FeatureSpec]) -> None:
        super().__init__()
        self.projections = Projections(inputs, options.dim)
        self.missing = nn.Parameter(torch.zeros(len(inputs), options.dim))
        self.mixing = nn.Linear(len(inputs) * options.dim, options.dim)
        self.dropout = nn.Dropout(options.dropout)
        self.features = single_token(options.dim)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """The joined features; a row that has no input gives what its missing vectors give."""
        projected, present = self.projections(inputs)
        filled = torch.where(present[..., None], projected, self.missing)
        return joined(self.dropout(self.mixing(filled.flatten(1))), present)
