"""Weighted mean of pooled features."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract import Fusion, FusionContext
from zoo.features import Features
from zoo_core.declarations.fusions import Late
from zoo_core.fusions.pooled import Projections, joined, single_token, softmax_over_present


def build(options: Late, context: FusionContext) -> "LateFusion":
    """The fusion of the inputs that the context describes."""
    return LateFusion(options, context.inputs)


class LateFusion(Fusion):
    """The mean of the projected pooled features of the inputs that are present, by weights that sum to 1.

    A linear head commutes with it, so that together they are the mean of one decision per input (the sum rule of
    Kittler et al. 1998). The learned weights are a softmax of one number per input; they start equal.
    """

    scores: Tensor

    def __init__(self, options: Late, inputs: Mapping[str, FeatureSpec]) -> None:
        super().__init__()
        self.projections = Projections(inputs, options.dim)
        scores = torch.zeros(len(inputs))
        if options.learned:
            self.scores = nn.Parameter(scores)
        else:
            self.register_buffer("scores", scores, persistent=False)
        self.features = single_token(options.dim)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """The mean; zeros in a row that has no input."""
        projected, present = self.projections(inputs)
        weights = softmax_over_present(self.scores[None, :, None], present)
        return joined((weights * projected).sum(1), present)
