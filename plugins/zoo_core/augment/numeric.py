"""Augmentations of vectors and sequences."""

import torch
from jaxtyping import Float32
from torch import Tensor

from zoo import AugmentContext
from zoo_core.declarations.augment import Dropout, Noise

Vector = Float32[Tensor, "columns"]
Steps = Float32[Tensor, "steps features"]


class Noisy:
    """Numbers with Gaussian noise, in the scale that they have; categories, and what is missing, stay."""

    def __init__(self, options: Noise, context: AugmentContext) -> None:
        spread = torch.ones(context.value.shape[-1] or 1)
        if not _standardized(context):
            spread = torch.tensor(context.fitted.get("deviations", spread.tolist()), dtype=torch.float32)
        if context.value.categories:
            spread = spread.masked_fill(torch.tensor(context.value.categories) > 0, 0)
        self.spread = options.deviation * spread

    def __call__(self, value: Float32[Tensor, "*steps columns"]) -> Float32[Tensor, "*steps columns"]:
        """The numbers and the noise."""
        return value + self.spread * torch.randn(value.shape)


class WithoutCells:
    """A vector some of whose cells are missing (NaN)."""

    def __init__(self, options: Dropout, context: AugmentContext) -> None:
        self.probability = options.probability

    def __call__(self, value: Vector) -> Vector:
        """The vector; of those cells that are there, one stays."""
        drawn = torch.rand(value.shape)
        stays = drawn.masked_fill(value.isnan(), -1).argmax()
        dropped = drawn < self.probability
        dropped[stays] = False
        return value.masked_fill(dropped, torch.nan)


class WithoutSteps:
    """A sequence some of whose steps tell nothing: all of their readings are the mean."""

    def __init__(self, options: Dropout, context: AugmentContext) -> None:
        self.probability = options.probability
        width = context.value.shape[-1] or 1
        self.blank = torch.zeros(width)
        if not _standardized(context):
            self.blank = torch.tensor(context.fitted.get("means", self.blank.tolist()), dtype=torch.float32)

    def __call__(self, value: Steps) -> Steps:
        """The sequence, as long as it was; one step stays."""
        drawn = torch.rand(len(value))
        dropped = drawn < self.probability
        dropped[drawn.argmax()] = False
        return torch.where(dropped[:, None], self.blank, value)


def _standardized(context: AugmentContext) -> bool:
    """Whether the input gives numbers with the mean 0 and deviation 1 of the training rows."""
    return bool(getattr(context.options, "standardize", True))
