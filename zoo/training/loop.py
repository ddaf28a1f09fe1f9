"""The loop: epochs of steps on Accelerate, validation after each, the best epoch kept, the state saved on the way."""

import copy
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from zoo.checkpoint.tensors import align
from zoo.data.loader import Loader
from zoo.errors import Interrupted
from zoo.evaluation.measure import Measured, measure
from zoo.model.model import ZooModel
from zoo.training.accelerator import gathered
from zoo.training.average import Average, snapshot
from zoo.training.choice import make_choice
from zoo.training.held import gather, share_out
from zoo.training.interruption import Interruptions
from zoo.training.progress import Watch
from zoo.training.schedule import make_schedule
from zoo.training.state import (
    Position,
    Record,
    optimizer_state,
    random_state,
    read_state,
    restore_optimizer,
    restore_random,
    write_state,
)
from zoo.training.stepper import Stepper
from zoo.training.tracking import track_epoch
from zoo.training.unfinished import Diverged

LOOK_EVERY = 10
"""Steps between two looks at the loss, at signals and at the clock, each of which waits for the device."""


class Training:
    """One training of a model, whose transfer is applied already.

    Args:
        model: The model.
        training: Its training samples.
        validation: Samples that choose the best epoch; None keeps the last.
        watch: Hears of every step and epoch.
        accelerator: The devices.
        state: File in which the training saves where it stands, and from which it goes on if there is one.
    """

    def __init__(
        self,
        model: ZooModel,
        training: Loader,
        validation: Loader | None,
        watch: Watch,
        accelerator: Accelerator,
        state: Path | None = None,
    ) -> None:
        self.spec = model.spec
        self.training, self.validation, self.watch, self.state = training, validation, watch, state
        self.accelerator = accelerator
        align(model)
        self._given = model
        # What shares out its weights is a copy: the model itself gets them back in the end.
        own = copy.deepcopy(model, {id(model.spec): model.spec}) if self.spec.train.shard else model
        self.model = own.to(accelerator.device)
        self.position = Position(parts=self.spec.train.accumulate)
        self.choice = make_choice(self.model)
        self.stepper = Stepper(self.model, accelerator, self.spec.train.accumulate, watch.remark)
        steps = self.spec.train.epochs * len(training)
        self.schedule = make_schedule(self.stepper.optimizer, self.spec.train, steps)
        self.average = Average(self.model, self.spec.train.average) if self.spec.train.average else None
        self.best: dict[str, Tensor] | None = None
        self._saved = time.monotonic()

    def run(self, note: Callable[[Record], None]) -> ZooModel:
        """Trains, and gives the model as it was after the best epoch, on the CPU and in eval mode.

        Args:
            note: Takes the record of each epoch, those of a training that goes on among them.

        Raises:
            Diverged: The loss is no number any more.
            Interrupted: A signal ended the training, whose state is saved.
            CorruptError: The state that is there is damaged.
        """
        torch.manual_seed(self.spec.train.seed + self.accelerator.process_index)
        if self.state is not None and self.state.exists():
            self._restore(*read_state(self.state))
            for record in self.position.history:
                note(record)
        with Interruptions() if self.state is not None else nullcontext(Interruptions()) as self.signals:
            while self.position.epoch < self.spec.train.epochs and not self.choice.over:
                note(self._epoch())
        _put(self.model, self.best or (self.average.moving() if self.average is not None else {}))
        if self.model is not self._given:
            _put(self._given, {name: gather(each) for name, each in self.model.moving().items()})
            self._given.lacked = self.model.lacked
        return self._given.cpu().eval()

    def _epoch(self) -> Record:
        """The rest of an epoch, and its validation; the state is saved."""
        self._steps()
        record = self._record()
        if self.validation is not None:
            with self.average.instead() if self.average is not None else nullcontext(), self.stepper.held.whole():
                measured = gathered(measure(self.model, self.validation, self.accelerator.device))
            record["validation"] = _told(measured)
            if self.choice.better(measured):
                record["best"] = True
                self.best = snapshot(self.model if self.average is None else self.average)
        self.position.history.append(record)
        self.position.epoch, self.position.step = self.position.epoch + 1, 0
        self.position.loss = self.position.seconds = self.position.rows = 0
        self.watch.epoch(record)
        track_epoch(self.accelerator, record, self.position.steps)
        if self.position.epoch < self.spec.train.epochs and not self.choice.over:
            self._save()
        self._stop_if_asked()
        return record

    def _steps(self) -> None:
        """The steps of an epoch that are still to be made."""
        self.model.train()
        position, steps = self.position, len(self.training)
        total = torch.zeros((), device=self.accelerator.device)
        recent: deque[tuple[Tensor, Any]] = deque(maxlen=LOOK_EVERY)
        started = time.perf_counter()
        for step in self.training.epoch(position.epoch + 1, position.step):
            loss = self.stepper.step(step)
            if self.average is not None:
                self.average.update()
            self.schedule.step()
            recent.append((loss, step.draws))
            total = total + loss * step.rows
            position.step, position.steps = position.step + 1, position.steps + 1
            position.rows += step.rows
            if (position.step - 1) % LOOK_EVERY == 0 or position.step == steps or self._asked_alone:
                position.loss += self._look(total, recent)
                position.seconds += time.perf_counter() - started
                total, started = torch.zeros_like(total), time.perf_counter()
                rate = position.rows / position.seconds
                self.watch.step(position.epoch + 1, position.step, steps, position.loss / position.rows, rate)
                if position.step < steps:
                    self._save_if_due()
                    self._stop_if_asked()

    def _look(self, total: Tensor, recent: deque[tuple[Tensor, Any]]) -> float:
        """The sum of the loss over the rows since the last look, those of all processes."""
        found = float(self.accelerator.reduce(total, "sum"))
        if math.isfinite(found):
            return found
        position, places = self.position, next((each for loss, each in recent if not torch.isfinite(loss)), ())
        rows = ", ".join(dict.fromkeys(self.training.place((number, row)) for number, row in places[:3]))
        told = f", on {len(places)} rows ({rows}{', ...' if len(places) > 3 else ''})" if rows else ""
        advice = "look at their cells; lower `train.learning_rate`, or write `precision: fp32`"
        raise Diverged(
            f"the loss of epoch {position.epoch + 1} is no number any more at step {position.step}{told}; {advice}"
        )

    def _record(self) -> Record:
        position = self.position
        self.model.lacked = frozenset(self._everywhere({*position.lacked, *self.stepper.lacked}))
        position.lacked = sorted(self.model.lacked)
        return {
            "epoch": position.epoch + 1,
            "loss": position.loss / max(1, position.rows),
            "learning_rate": self.schedule.get_last_lr()[0],
            "seconds": position.seconds,
            "samples_per_second": position.rows / position.seconds,
        }

    def _everywhere(self, names: set[str]) -> set[str]:
        """The names that any process has."""
        return set(gather_object(sorted(names)))

    def _save_if_due(self) -> None:
        due = time.monotonic() - self._saved > 60 * self.spec.train.save_every
        if self.state is not None and self._agreed(due):
            self._save()

    def _stop_if_asked(self) -> None:
        """Ends the training where a signal wants it, once its state is saved."""
        heard = self.signals.heard or 0
        number = int(self._largest(heard))
        if not number or self.state is None:
            return
        self._save()
        place = f"epoch {self.position.epoch + 1}, step {self.position.step} of {len(self.training)}"
        raise Interrupted(number, f"interrupted at {place}; all of it is saved: go on with --resume")

    @property
    def _asked_alone(self) -> bool:
        """Whether a signal came to the only process; several must agree on the step after which they end."""
        return self.signals.heard is not None and self.accelerator.num_processes == 1

    def _agreed(self, due: bool) -> bool:
        return bool(self._largest(int(due)))

    def _largest(self, number: int) -> int:
        """The largest of the processes' numbers."""
        return number if self.accelerator.num_processes == 1 else max(map(int, gather_object([number])))

    def _save(self) -> None:
        """Saves where the training stands."""
        self._saved = time.monotonic()
        if self.state is None:
            return
        states = random_state()
        everywhere = gather_object([{name: each.tolist() for name, each in states.items()}])
        tensors, groups = self._tensors()
        if not self.accelerator.is_main_process:
            return
        for rank, each in enumerate(everywhere):
            tensors |= {f"random/{rank}/{name}": torch.tensor(state, dtype=torch.uint8) for name, state in each.items()}
        self.position.parts = self.stepper.parts
        self.position.best, self.position.waited = self.choice.best, self.choice.waited
        self.position.lacked = sorted({*self.position.lacked, *self.stepper.lacked})
        scaler = self.accelerator.scaler
        facts = {
            "position": asdict(self.position),
            "groups": groups,
            "schedule": self.schedule.last_epoch,
            "average": self.average.steps if self.average is not None else 0,
            "scaler": scaler.state_dict() if scaler is not None else None,
        }
        write_state(self.state, tensors, facts)

    def _tensors(self) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
        """All tensors of the state, whole and on the CPU, and the optimizer's groups; every process must ask."""
        kept, groups = optimizer_state(self.model, self.stepper.optimizer)
        average = self.average.moving() if self.average is not None else {}
        parts = {"model": self.model.moving(), "optimizer": kept, "best": self.best or {}, "average": average}
        named = {f"{part}/{name}": each for part, tensors in parts.items() for name, each in tensors.items()}
        first = self.accelerator.is_main_process
        whole = ((name, gather(each)) for name, each in named.items())
        return {name: each.cpu() for name, each in whole if first}, groups

    def _restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Puts the training where it stood."""
        self.position = Position(**facts["position"])
        _put(self.model, _under("model/", tensors))
        restore_optimizer(self.model, self.stepper.optimizer, _under("optimizer/", tensors), facts["groups"])
        self.schedule.last_epoch = facts["schedule"]
        self.schedule._last_lr = [group["lr"] for group in self.stepper.optimizer.param_groups]
        moving = self.model.moving()
        best = _under("best/", tensors)
        self.best = {name: share_out(each, moving[name]) for name, each in best.items()} or None
        if self.average is not None:
            for name, each in _under("average/", tensors).items():
                self.average.tensors[name].copy_(share_out(each, self.average.tensors[name]))
            self.average.steps = facts["average"]
        if self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(facts["scaler"])
        self.stepper.parts = self.position.parts
        self.stepper.lacked = set(self.position.lacked)
        self.choice.best, self.choice.waited = self.position.best, self.position.waited
        mine = _under(f"random/{self.accelerator.process_index}/", tensors)
        if mine:
            restore_random(mine)


@torch.no_grad()
def _put(model: ZooModel, kept: Mapping[str, Tensor]) -> None:
    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for name, value in kept.items():
        own[name].copy_(share_out(value, own[name]))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _told(measured: Measured) -> Record:
    heads = {name: {metric: each.value for metric, each in told.items()} for name, told in measured.metrics().items()}
    return {"loss": measured.loss, "heads": heads}
