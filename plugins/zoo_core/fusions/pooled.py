"""What the fusions of pooled features have alike: one width for all inputs, and what absence does."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.features import Features


def projection(width: int, dim: int) -> nn.Sequential:
    """A linear layer and a norm, so that features of every input begin in one width and at one scale.

    Args:
        width: Of the features.
        dim: Of the result.
    """
    return nn.Sequential(nn.Linear(width, dim), nn.LayerNorm(dim))


def single_token(dim: int) -> FeatureSpec:
    """Shapes of what `joined` gives."""
    return FeatureSpec(dim=dim, pooled_dim=dim, tokens=1)


def joined(pooled: Float[Tensor, "batch dim"], present: Bool[Tensor, "batch inputs"]) -> Features:
    """Fused features with one token, which is masked in rows that have no input at all."""
    return Features(pooled[:, None], pooled, present.any(1, keepdim=True))


class Projections(nn.Module):
    """The pooled features of all inputs in one width, each through a projection of its own.

    Args:
        inputs: Shapes of the features of each input.
        dim: Width of the result.
    """

    def __init__(self, inputs: Mapping[str, FeatureSpec], dim: int) -> None:
        super().__init__()
        self.inputs = tuple(inputs)
        self.layers = nn.ModuleList(projection(each.pooled_dim, dim) for each in inputs.values())

    def forward(
        self, inputs: Mapping[str, Features]
    ) -> tuple[Float[Tensor, "batch inputs dim"], Bool[Tensor, "batch inputs"]]:
        """Projected features in the order of the spec, and which are present.

        What stands in absent features reaches nothing: in their place is the projection of zeros.
        """
        ordered = [inputs[name] for name in self.inputs]
        projected = [
            layer(each.pooled.masked_fill(~each.present[:, None], 0))
            for layer, each in zip(self.layers, ordered, strict=True)
        ]
        return torch.stack(projected, 1), torch.stack([each.present for each in ordered], 1)


def softmax_over_present(
    scores: Float[Tensor, "#batch inputs #dim"], present: Bool[Tensor, "batch inputs"]
) -> Float[Tensor, "batch inputs #dim"]:
    """Softmax over the inputs that are present: exactly 0 where one is absent, and everywhere in a row without any."""
    here = present[..., None]
    # The lowest number instead of -inf, which would make NaN of a row without any input.
    return torch.where(here, scores, torch.finfo(scores.dtype).min).softmax(1).masked_fill(~here, 0)
