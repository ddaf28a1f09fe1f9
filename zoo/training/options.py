"""Ways to train that change the cost and not the result: recomputing, compiling, a batch size that fits."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from zoo.contract import Backbone
from zoo.errors import UsageError
from zoo.model.model import ZooModel
from zoo.spec.sections import Spec

SMALLEST, LARGEST = 8, 256
"""Rows of a step between which `batch_size: auto` chooses."""

STEPS = 20
"""Steps of an epoch, at least, that `batch_size: auto` leaves."""

ROOM = 0.8
"""Share of the device's memory that `batch_size: auto` fills at most."""


def prepare_backbones(model: ZooModel, device: torch.device) -> None:
    """Does what `train.recompute` and `train.compile` ask for, to the backbones that are trained.

    Weights lie with channels last where convolutions are faster so: on a GPU, and of backbones that are not trained. In
    shares (`train.shard`) torch takes them in no other order than their own.

    Args:
        model: The model.
        device: Where it will be trained.

    Raises:
        UsageError: None of them can recompute.
    """
    train, moving = model.spec.train, dict(_moving(model))
    for name, backbone in model.backbone_parts().items():
        if not train.shard and (name not in moving or device.type == "cuda"):
            backbone.to(memory_format=torch.channels_last)
    if train.recompute and not [name for name, each in moving.items() if _recomputes(each)]:
        told = f"no backbone that is trained can do that ({', '.join(moving) or 'all are frozen'})"
        raise UsageError(f"`train.recompute`: {told}; write `recompute: false`, or a larger `train.accumulate`")
    if train.compile:
        for backbone in moving.values():
            backbone.compile()


def with_batch_size(spec: Spec, rows: int) -> tuple[Spec, str]:
    """The spec with a number in the place of `batch_size: auto`, and a remark on it; "" where there was one.

    The largest power of two with which training fits into memory, as `zoo plan` tells, and which leaves some steps in
    an epoch.

    Args:
        spec: The spec.
        rows: How many rows there are to learn from.
    """
    if spec.train.batch_size != "auto":
        return spec, ""
    from zoo.planning.plan import plan

    memory = plan(spec).memory
    few = max(SMALLEST, rows // STEPS)
    size = SMALLEST
    while 2 * size <= min(LARGEST, few) and (memory is None or _fits(memory.training(2 * size), memory.device.memory)):
        size *= 2
    chosen = replace(spec, train=replace(spec.train, batch_size=size))
    return chosen, f"`batch_size: auto` takes {size} rows a step ({rows:,} to learn from)"


def _fits(needed: int, there: int | None) -> bool:
    return there is None or needed <= ROOM * there


def _moving(model: ZooModel) -> Iterator[tuple[str, Backbone]]:
    for name, backbone in model.backbone_parts().items():
        if any(each.requires_grad for each in backbone.parameters()):
            yield name, backbone


def _recomputes(backbone: Backbone) -> bool:
    try:
        backbone.recompute()
    except NotImplementedError:
        return False
    return True
