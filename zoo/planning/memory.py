"""What training and prediction take of a device's memory, by batch size."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from zoo.model.device import Device
from zoo.model.model import ZooModel
from zoo.planning.meter import Amount
from zoo.planning.routes import Costs
from zoo.transfer.optimizer import STATES, anchored


@dataclass(frozen=True)
class Memory:
    """Bytes that a model takes on a device, beside what the process takes before it: libraries, a GPU's context.

    Args:
        device: The device.
        precision: The arithmetic of the forward pass: `fp32`, `bf16` or `fp16`. Weights are kept in float32.
        batch_size: Rows of a batch, as the spec says.
        training_levels: Bytes alive at some moment of a training step.
        inference_levels: Bytes alive at some moment of a prediction.
    """

    device: Device
    precision: str
    batch_size: int
    training_levels: frozenset[Amount]
    inference_levels: frozenset[Amount]

    def training(self, rows: int) -> int:
        """Peak of training on batches of so many rows: weights, gradients, optimiser, activations, the best epoch."""
        return max(level.of(rows) for level in self.training_levels)

    def inference(self, rows: int) -> int:
        """Peak of prediction on batches of so many rows."""
        return max(level.of(rows) for level in self.inference_levels)

    @property
    def fits(self) -> bool | None:
        """Whether training with the spec's batch size fits the device; None where its memory is not known."""
        return None if self.device.memory is None else self.training(self.batch_size) <= self.device.memory

    @property
    def largest_batch_size(self) -> int | None:
        """Most rows of a batch with which training fits; None where the device's memory is not known."""
        if self.device.memory is None:
            return None
        rooms = [
            (self.device.memory - level.fixed) // level.per_row if level.per_row > 0 else None
            for level in self.training_levels
            if level.per_row > 0 or level.fixed > self.device.memory
        ]
        return max(0, min((0 if room is None else room for room in rooms), default=0))


def memory_of(model: ZooModel, costs: Costs, device: Device, precision: str) -> Memory:
    """The memory of a model.

    Args:
        model: The model, its transfer applied.
        costs: What a forward and a backward pass take.
        device: Where it shall run.
        precision: The arithmetic of the forward pass.
    """
    kept = Amount(_kept(model))
    return Memory(
        device=device,
        precision=precision,
        batch_size=model.spec.train.rows,
        training_levels=frozenset(level + kept for level in costs.training),
        inference_levels=costs.inference,
    )


def _kept(model: ZooModel) -> int:
    """Bytes beside the passes: the optimiser's states, the best epoch so far, starts that weights are pulled toward."""
    trained = _bytes(each for each in model.parameters() if each.requires_grad)
    best = _bytes(model.moving().values()) if model.spec.data.validation is not None else 0
    return STATES * trained + best + _bytes(parameter for parameter, _ in anchored(model))


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(each.nbytes for each in tensors)
