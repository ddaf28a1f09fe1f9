"""A moving average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from zoo.model.model import ZooModel


class Average:
    """The mean of what training moves over its last steps, older ones counting less (Polyak and Juditsky 1992).

    The decay begins small, (1 + steps) / (10 + steps), so that the random start is soon forgotten. What is no float,
    such as a norm's count of batches, is as it is in the model.

    Args:
        model: The model.
        decay: Share of the old mean in the new one.
    """

    def __init__(self, model: ZooModel, decay: float) -> None:
        self._model, self._decay = model, decay
        self.tensors = {name: each.detach().clone() for name, each in model.moving().items()}
        self.steps = 0

    def moving(self) -> dict[str, Tensor]:
        """The averaged tensors, by the names that they have in the model."""
        return self.tensors

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights as they are after a step."""
        self.steps += 1
        decay = min(self._decay, (1 + self.steps) / (10 + self.steps))
        for name, each in self._model.moving().items():
            mean = self.tensors[name]
            if mean.is_floating_point():
                mean.lerp_(each, 1 - decay)
            else:
                mean.copy_(each)

    @contextmanager
    def instead(self) -> Iterator[None]:
        """The model has the averaged weights inside the block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, each in self._model.moving().items():
            own = each.detach().clone()
            each.copy_(self.tensors[name])
            self.tensors[name].copy_(own)


class Moving(Protocol):
    """What has tensors that training moves."""

    def moving(self) -> dict[str, Tensor]:
        """The tensors by name."""


def snapshot(moving: Moving) -> dict[str, Tensor]:
    """A copy of what training moves."""
    return {name: each.detach().clone() for name, each in moving.moving().items()}
