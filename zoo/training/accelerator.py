"""The devices and processes that a training runs on, as Accelerate finds them."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import gather_object

from zoo.data.step import Share
from zoo.errors import UsageError
from zoo.evaluation.measure import Measured
from zoo.training.device import precision_on


def make_accelerator(precision: str) -> Accelerator:
    """The devices and the arithmetic of a training; under `torchrun` or `accelerate launch`, of one of its processes.

    Args:
        precision: `auto`, `fp32`, `bf16` or `fp16`; `auto` is bf16 on a GPU that has it, else fp32.

    Raises:
        UsageError: The device cannot compute in this precision, or not in the way that was launched.
    """
    gpu = torch.cuda.is_available()
    precision = precision_on("cuda" if gpu else "cpu", precision)
    if precision == "fp16" and not gpu:
        raise UsageError("`train.precision: fp16` needs a GPU; write `fp32`, or `bf16`, which a CPU computes too")
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true"):
        raise UsageError(
            "sharding the model over processes (FSDP) is not there; launch without it: each holds it whole"
        )
    AcceleratorState._reset_state()  # it keeps the precision of the first training in this process
    # A head without a label in a batch, or an input that all rows lack, leaves parameters without a gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    arithmetic = "no" if precision == "fp32" else precision
    # Without a GPU, Accelerate takes several processes for several only where it is told that there is none.
    return Accelerator(
        cpu=not gpu and not torch.backends.mps.is_available(), mixed_precision=arithmetic, kwargs_handlers=[unused]
    )


def share_of(accelerator: Accelerator) -> Share:
    """The part of the rows that this process trains on."""
    return Share(accelerator.process_index, accelerator.num_processes)


def gathered(measured: Measured) -> Measured:
    """What all processes measured, each on its share of the rows, in the order of the rows."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for each in gather_object([measured.rows]):
        for head, parts in each.items():
            rows.setdefault(head, []).extend(parts)
    return replace(measured, rows=rows, losses=gather_object(measured.losses))
