"""Augmentations that hold all laws but one each, as `test_kit.py` tells."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo import AugmentContext


@dataclass(frozen=True, kw_only=True)
class NoOptions:
    """Options of the broken augmentations."""


class Deepening:
    def __init__(self, options: NoOptions, context: AugmentContext) -> None: ...

    def __call__(self, value: Tensor) -> Tensor:
        return (value + torch.rand(()))[None]


class Coarse(Deepening):
    """Of another type."""

    def __call__(self, value: Tensor) -> Tensor:
        return (value + torch.rand(())).double()


class Elsewhere(Deepening):
    """It draws from numpy."""

    def __call__(self, value: Tensor) -> Tensor:
        return value + float(np.random.default_rng().random())


class Idle(Deepening):
    def __call__(self, value: Tensor) -> Tensor:
        return value


class Spoiling(Deepening):
    def __call__(self, value: Tensor) -> Tensor:
        return value.mul_(1 + torch.rand(()))
