"""What is told while a model trains: a bar on a terminal, nothing anywhere else."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import torch

from zoo.model.build import told_starts
from zoo.model.model import ZooModel


class Watch(Protocol):
    """Hears what is going on."""

    def start(self, model: ZooModel, remarks: Sequence[str]) -> None:
        """The model is built, and the data are open.

        Args:
            model: The model, its transfer applied.
            remarks: What the user should know of the data: rows that are left out, and why.
        """

    def remark(self, text: str) -> None:
        """There is something that the user should know."""

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        """A step was made.

        Args:
            epoch: From 1.
            done: Steps of this epoch so far.
            steps: Steps of an epoch.
            loss: Mean loss of the epoch so far.
            rate: Samples per second.
        """

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch ended; `record` is its line in `history.jsonl`."""


class Silent:
    """Tells nothing."""

    def start(self, model: ZooModel, remarks: Sequence[str]) -> None:
        """Tells nothing."""

    def remark(self, text: str) -> None:
        """Tells nothing."""

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        """Tells nothing."""

    def epoch(self, record: Mapping[str, Any]) -> None:
        """Tells nothing."""


class Terminal:
    """A bar with epoch, step, loss, samples per second, memory and time left, and a line for every epoch, on stderr.

    Where stderr is no terminal, the lines alone are written.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._epochs = 0
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[rate]} samples/s"),
            TextColumn("{task.fields[memory]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("train", total=None, epoch="1", loss="-", rate="-", memory="")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, model: ZooModel, remarks: Sequence[str]) -> None:
        """Writes the remarks, how each part starts, and what there is to train."""
        self._epochs = model.spec.train.epochs
        for each in remarks:
            self.remark(each)
        for line in told_starts(model):
            self._tell(line)
        total = sum(each.numel() for each in model.parameters())
        trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
        self._tell(f"{model.spec.name}: {total:,} parameters, {trained:,} of them trained")
        self._bar.start()

    def remark(self, text: str) -> None:
        """Writes it."""
        self._tell(f"note: {text}")

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        """Moves the bar; the time left is that of the whole training."""
        total, completed = steps * self._epochs, steps * (epoch - 1) + done
        told = {"epoch": f"{epoch}/{self._epochs}", "loss": f"{loss:.4f}", "rate": f"{rate:.0f}", "memory": _memory()}
        self._bar.update(self._task, total=total, completed=completed, **told)  # type: ignore[arg-type]  # its fields

    def epoch(self, record: Mapping[str, Any]) -> None:
        """Writes the epoch's line."""
        parts = [f"epoch {record['epoch']}/{self._epochs}", f"loss {record['loss']:.4f}"]
        validation = record.get("validation")
        if validation:
            parts.append(f"validation loss {validation['loss']:.4f}")
            for head, metrics in validation["heads"].items():
                name, value = next(iter(metrics.items()))
                parts.append(f"{head} {name} {value:.3f}")
        parts.append(f"{record['samples_per_second']:.0f} samples/s")
        self._tell("  ".join(parts) + ("  *" if record.get("best") else ""))

    def _tell(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


def _memory() -> str:
    """What the process takes of memory: the GPU's at most so far, else the main memory now; "" where nobody tells."""
    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB of GPU"
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return ""
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 1e9:.1f} GB"
