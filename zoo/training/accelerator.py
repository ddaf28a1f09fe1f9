"""The devices and processes that a training runs on, as Accelerate finds them."""

import os
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, gather_object

from zoo.data.step import Share
from zoo.errors import UsageError
from zoo.evaluation.measure import Gathered, Measured
from zoo.model.device import precision_on


def make_accelerator(
    precision: str, track: str | None = None, folder: Path | None = None, *, shard: bool = False
) -> Accelerator:
    """The devices and the arithmetic of a training; under `torchrun` or `accelerate launch`, of one of its processes.

    Args:
        precision: `auto`, `fp32`, `bf16` or `fp16`; `auto` is bf16 on a GPU that has it, else fp32.
        shard: Whether processes are to hold the model in shares.
        track: The tracker that hears of it.
        folder: Where that writes its files.

    Raises:
        UsageError: The device cannot compute in this precision, or not in the way that was launched.
    """
    gpu = torch.cuda.is_available()
    precision = precision_on("cuda" if gpu else "cpu", precision)
    if precision == "fp16" and not gpu:
        raise UsageError("`train.precision: fp16` needs a GPU; write `fp32`, or `bf16`, which a CPU computes too")
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true"):
        raise UsageError("FSDP is asked for in the spec, `train: {shard: true}`; launch without --use_fsdp")
    if shard and not gpu:
        raise UsageError("`train.shard: true` needs a GPU for each process; without it each holds the model whole")
    AcceleratorState._reset_state()  # it keeps the precision of the first training in this process
    # A head without a label in a batch, or an input that all rows lack, leaves parameters without a gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    arithmetic = "no" if precision == "fp32" else precision
    # Without a GPU, Accelerate takes several processes for several only where it is told that there is none.
    accelerator = Accelerator(
        cpu=not gpu and not torch.backends.mps.is_available(),
        mixed_precision=arithmetic,
        kwargs_handlers=[unused],
        log_with=track,
        project_dir=folder,
    )
    if shard and accelerator.distributed_type == DistributedType.NO:
        raise UsageError("`train.shard: true` needs several processes: `torchrun --nproc-per-node 2 -m zoo train ...`")
    return accelerator


def share_of(accelerator: Accelerator) -> Share:
    """The part of the rows that this process trains on."""
    return Share(accelerator.process_index, accelerator.num_processes)


def gathered(measured: Measured) -> Measured:
    """What all processes measured, each on its share of the rows, in the order of the rows."""
    together: dict[str, Gathered] = {}
    start = 0
    for each in gather_object([measured.gathered]):
        for head, part in each.items():
            whole = together.setdefault(head, Gathered(width=part.width))
            whole.rows += part.rows
            whole.seen += part.seen
            whole.targets += part.targets
            whole.numbers += [numbers + start for numbers in part.numbers]
        start += 1 + max(
            (int(numbers.max()) for part in each.values() for numbers in part.numbers if len(numbers)), default=0
        )
    return replace(measured, gathered=together, losses=gather_object(measured.losses))
