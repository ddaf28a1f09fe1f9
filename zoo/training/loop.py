"""The loop: epochs of steps on Accelerate, validation after each, the best epoch kept."""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from zoo.checkpoint.tensors import align
from zoo.data.loader import Loader
from zoo.errors import UsageError
from zoo.evaluation.measure import Measured, measure
from zoo.model.model import ZooModel
from zoo.training.device import precision_on
from zoo.training.dropout import drop_inputs
from zoo.training.optimizer import Anchor, make_optimizer, make_schedule
from zoo.training.progress import Watch

Record = dict[str, Any]


def make_accelerator(precision: str) -> Accelerator:
    """The devices and the arithmetic of a training.

    Args:
        precision: `auto`, `fp32`, `bf16` or `fp16`; `auto` is bf16 on a GPU that has it, else fp32.

    Raises:
        UsageError: The device cannot compute in this precision, or this is one of several processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("training in several processes is not there yet: each would train on all rows; start one")
    precision = precision_on("cuda" if torch.cuda.is_available() else "cpu", precision)
    if precision == "fp16" and not torch.cuda.is_available():
        raise UsageError("`train.precision: fp16` needs a GPU; write `fp32`, or `bf16`, which a CPU computes too")
    AcceleratorState._reset_state()  # it keeps the precision of the first training in this process
    return Accelerator(mixed_precision="no" if precision == "fp32" else precision)


class Training:
    """One training of a model, whose transfer is applied already.

    Args:
        model: The model.
        training: Its training samples.
        validation: Samples that choose the best epoch; None keeps the last.
        watch: Hears of every step and epoch.
    """

    def __init__(self, model: ZooModel, training: Loader, validation: Loader | None, watch: Watch) -> None:
        self.spec = model.spec
        self.training, self.validation, self.watch = training, validation, watch
        self.accelerator = make_accelerator(self.spec.train.precision)
        align(model)
        self.model = model.to(self.accelerator.device)
        optimizer = make_optimizer(model)
        self.anchor = Anchor(model, optimizer)
        self.schedule = make_schedule(optimizer, self.spec.train.epochs * len(training))
        self.wrapped, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.generator = torch.Generator().manual_seed(self.spec.train.seed)

    def run(self, note: Callable[[Record], None]) -> ZooModel:
        """Trains, and gives the model as it was after the best epoch, on the CPU and in eval mode.

        Args:
            note: Takes the record of each epoch.

        Raises:
            UsageError: The loss is no number any more.
        """
        torch.manual_seed(self.spec.train.seed)
        best, kept = float("inf"), None
        for epoch in range(1, self.spec.train.epochs + 1):
            record = self._epoch(epoch)
            if self.validation is not None:
                measured = measure(self.model, self.validation, self.accelerator.device)
                record["validation"] = _told(measured)
                if measured.loss < best or kept is None:
                    best, kept, record["best"] = measured.loss, self._snapshot(), True
            note(record)
            self.watch.epoch(record)
        if kept is not None:
            self._restore(kept)
        return self.model.cpu().eval()

    def _epoch(self, epoch: int) -> Record:
        """One pass over the training samples."""
        self.model.train()
        lacked = set(self.model.lacked or ())
        total, seen, started = torch.zeros((), device=self.accelerator.device), 0, time.perf_counter()
        for step, batch in enumerate(self.training.epoch(epoch), 1):
            rows = len(batch)
            dropped = drop_inputs(batch, self.spec.balance.drop, self.generator)
            lacked |= {name for name, each in dropped.inputs.items() if each.absent_anywhere}
            loss = self._step(dropped.to(self.accelerator.device))
            total, seen = total + loss * rows, seen + rows
            if step % 10 == 1 or step == len(self.training):
                self._tell(epoch, step, float(total) / seen, seen / (time.perf_counter() - started))
        seconds = time.perf_counter() - started
        self.model.lacked = frozenset(lacked)
        return {
            "epoch": epoch,
            "loss": float(total) / max(1, seen),
            "learning_rate": self.schedule.get_last_lr()[0],
            "seconds": seconds,
            "samples_per_second": seen / seconds,
        }

    def _step(self, batch: Any) -> Tensor:
        with self.accelerator.autocast():
            loss = self.model.loss(self.wrapped(batch))
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.anchor.pull()
        self.schedule.step()
        self.optimizer.zero_grad()
        return loss.detach()

    def _tell(self, epoch: int, step: int, loss: float, rate: float) -> None:
        if loss != loss:
            advice = "lower `train.learning_rate`, or write `precision: fp32`"
            raise UsageError(f"the loss of epoch {epoch} is no number any more at step {step}; {advice}")
        self.watch.step(epoch, step, len(self.training), loss, rate)

    def _snapshot(self) -> dict[str, Tensor]:
        return {name: each.detach().clone() for name, each in self.model.moving().items()}

    @torch.no_grad()
    def _restore(self, kept: Mapping[str, Tensor]) -> None:
        own = {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}
        for name, value in kept.items():
            own[name].copy_(value)


def _told(measured: Measured) -> Record:
    heads = {name: {metric: each.value for metric, each in told.items()} for name, told in measured.metrics().items()}
    return {"loss": measured.loss, "heads": heads}
