"""The processes that share a piece of work: one, unless a launcher such as torchrun started several."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch

from zoo.errors import UsageError
from zoo.model.device import computing

PATIENCE = timedelta(days=30)
"""How long a process that is done waits for the others."""


@dataclass(frozen=True)
class Processes:
    """This process among those that share the work.

    Args:
        index: Its number, from 0.
        count: How many there are.
        device: Where it computes.
        group: What they talk through; None of a single one.
    """

    index: int
    count: int
    device: torch.device
    group: Any = None

    @property
    def first(self) -> bool:
        """Whether this is the first, which tells what is going on."""
        return self.index == 0

    def gather(self, value: Any) -> list[Any]:
        """The value that each process gives, in their order, once all have given it.

        Raises:
            UsageError: One of them ended before.
        """
        if self.group is None:
            return [value]
        values: list[Any] = [None] * self.count
        try:
            torch.distributed.all_gather_object(values, value, group=self.group)
        except RuntimeError:  # its connection is closed
            raise UsageError("another of the processes ended before its part was done; it tells why") from None
        return values

    def share(self, number: int) -> range:
        """Which of so many pieces, one behind the other, are this process's."""
        return range(number * self.index // self.count, number * (self.index + 1) // self.count)


def processes() -> Processes:
    """Joins the processes that torchrun or `accelerate launch` started, each with a device of its own."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes(0, 1, computing())
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available())  # without a GPU it joins the others only if told so
    group = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes, state.device, group)
