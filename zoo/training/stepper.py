"""One step of training: forward, backward, and the weights move."""

from collections.abc import Callable

import torch
from accelerate import Accelerator
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from zoo.data.step import Step
from zoo.errors import UsageError
from zoo.features import Batch
from zoo.model.model import ZooModel
from zoo.training.dropout import drop_inputs
from zoo.training.held import hold
from zoo.transfer.optimizer import Anchor, make_optimizer

Tell = Callable[[str], None]


class Stepper:
    """Makes steps.

    The rows of a step may be run in several parts, and by several processes: each part's loss has the share in the sum
    that its rows have, so that the gradient is that of the whole.

    Args:
        model: The model, whose transfer is applied already.
        accelerator: The devices.
        parts: Parts in which the rows of a step are run.
        tell: Hears what the user should know.
    """

    def __init__(self, model: ZooModel, accelerator: Accelerator, parts: int, tell: Tell) -> None:
        self.model, self.accelerator, self.parts, self._tell = model, accelerator, parts, tell
        self.lacked: set[str] = set()
        self.held = hold(model, accelerator)
        self.optimizer = make_optimizer(model)
        self.anchor = Anchor(model, self.optimizer)
        self._processes = accelerator.num_processes
        self._trained = [each for each in model.parameters() if each.requires_grad]

    def step(self, step: Step) -> Tensor:
        """Moves the weights, and gives this process's part of the step's loss.

        Raises:
            UsageError: Not even a single row fits into memory.
        """
        while True:
            try:
                loss = self._gradients(step)
                break
            except RuntimeError as error:
                if not should_reduce_batch_size(error):
                    raise
                self._halve(len(step))
        scaler, clip = self.accelerator.scaler, self.model.spec.train.clip
        if clip is not None:
            if scaler is not None:
                scaler.unscale_(self.optimizer)
            clip_grad_norm_(self._trained, clip)
        if scaler is not None:
            scaler.step(self.optimizer)
            scaler.update()
        else:
            self.optimizer.step()
        self.anchor.pull()
        self.optimizer.zero_grad()
        return loss

    def _gradients(self, step: Step) -> Tensor:
        total = torch.zeros((), device=self.accelerator.device)
        parts = min(self.parts, len(step))
        for number, batch in enumerate(step.batches(self.parts), 1):
            with self.held.in_part(last=number == parts):
                total = total + self._backward(step, batch)
        return total

    def _backward(self, step: Step, batch: Batch) -> Tensor:
        dropped = drop_inputs(batch, self.model.spec.balance.drop)
        self.lacked |= {name for name, each in dropped.inputs.items() if each.absent_anywhere}
        with self.accelerator.autocast():
            # The gradient of several processes is the mean of theirs; that of their losses' sum is wanted.
            weights = {name: each * self._processes for name, each in step.weights(batch).items()}
            loss = self.held.loss(dropped.to(self.accelerator.device), weights)
        scaler = self.accelerator.scaler
        scaled: Tensor = loss if scaler is None else scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        own: Tensor = loss.detach() / self._processes
        return own

    def _halve(self, rows: int) -> None:
        """After the memory did not do: twice as many parts."""
        self.optimizer.zero_grad()
        clear_device_cache(garbage_collection=True)
        if self.accelerator.num_processes > 1:
            raise UsageError("out of memory; write a larger `train.accumulate`, or a smaller `train.batch_size`")
        if self.parts >= rows:
            raise UsageError("out of memory with a single row; `zoo plan` tells what the model takes")
        self.parts *= 2
        self._tell(f"out of memory: the rows of a step are run in {self.parts} parts from here on (train.accumulate)")
