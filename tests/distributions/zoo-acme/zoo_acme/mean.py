"""A fusion: the mean of what the present inputs say."""

from collections.abc import Mapping

import torch
from torch import nn

from zoo import Features, FeatureSpec, Fusion, FusionContext
from zoo.features import masked_mean
from zoo_acme import Mean


class MeanFusion(Fusion):
    """The pooled features of every input in one width, and the mean over the inputs that a row has."""

    def __init__(self, options: Mean, context: FusionContext) -> None:
        super().__init__()
        widths = {name: spec.pooled_dim for name, spec in context.inputs.items()}
        self.projections = nn.ModuleDict({name: nn.Linear(width, options.dim) for name, width in widths.items()})
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim, tokens=1)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """One token, which is the pooled features; zeros and no real token in a row without any input."""
        projected = torch.stack([layer(inputs[name].pooled) for name, layer in self.projections.items()], 1)
        present = torch.stack([inputs[name].present for name in self.projections], 1)
        pooled = masked_mean(projected, present)
        return Features(pooled[:, None], pooled, present.any(1, keepdim=True))
