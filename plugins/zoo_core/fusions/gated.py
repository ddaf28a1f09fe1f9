"""Gated sum of pooled features."""

from collections.abc import Mapping

from torch import nn

from zoo.component import FeatureSpec
from zoo.contract import Fusion, FusionContext
from zoo.features import Features
from zoo_core.declarations.fusions import Gated
from zoo_core.fusions.pooled import Projections, joined, single_token, softmax_over_present


def build(options: Gated, context: FusionContext) -> "GatedFusion":
    """The fusion of the inputs that the context describes."""
    return GatedFusion(options, context.inputs)


class GatedFusion(Fusion):
    """Sum_m z_m * tanh(h_m) over the projected pooled features h, with a gate z per dimension (Arevalo et al. 2017).

    The gates are a linear map of all h together and a softmax over the inputs that are present. Of two inputs that is
    the paper's z and 1 - z with z = sigmoid(W_z [h_1; h_2]), where W_z is the difference of our two maps. As in the
    authors' code, gates read h before its tanh and have no bias; ours have LayerNorm in h where they have BatchNorm.
    """

    def __init__(self, options: Gated, inputs: Mapping[str, FeatureSpec]) -> None:
        super().__init__()
        joint = len(inputs) * options.dim
        self.projections = Projections(inputs, options.dim)
        self.gates = nn.Linear(joint, joint, bias=False)
        self.dropout = nn.Dropout(options.dropout)
        self.features = single_token(options.dim)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """The gated sum; zeros in a row that has no input. Gates read zeros for an absent input."""
        projected, present = self.projections(inputs)
        projected = projected.masked_fill(~present[..., None], 0)
        scores = self.gates(projected.flatten(1)).view_as(projected)
        gates = softmax_over_present(scores, present)
        return joined(self.dropout((gates * projected.tanh()).sum(1)), present)
