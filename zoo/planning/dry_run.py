"""A step of training and one of prediction without memory: what a model reads, gives, computes and takes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.contract import Head
from zoo.features import Batch, Features, Targets, Values
from zoo.model.model import Result, ZooModel
from zoo.planning.arithmetic import Autocast, kernels_of
from zoo.planning.meter import Amount, Meter

Shape: TypeAlias = tuple[int, ...]

LOW = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class DryRun:
    """What a model does with a batch all of whose values are as large as they can be.

    Args:
        reads: Of each input, the shape of what its backbone reads, without the batch.
        features: Of each input, what its backbone gives.
        outputs: Of each head, its outputs.
        operations: Floating-point operations of a forward pass, by part: `inputs.photo`, and `heads` with the fusion.
        training: Follows the memory of a forward and a backward pass.
        inference: Follows that of a forward pass alone.
    """

    reads: Mapping[str, Shape]
    features: Mapping[str, Features]
    outputs: Mapping[str, Any]
    operations: Mapping[str, Amount]
    training: Meter
    inference: Meter


def dry_run(model: ZooModel, device: str, precision: str, rows: int, marker: int | None) -> DryRun:
    """Runs a model on the largest values that it reads.

    Args:
        model: A model to which its transfer was applied; commonly one without memory.
        device: Whose kernels are assumed: `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`.
        rows: Rows of the batch.
        marker: The same where what grows with the batch is told by its size, else None; see `Meter`.
    """
    values = {name: model.backbone(name).example(rows) for name in model.spec.inputs}
    held = [*model.parameters(), *model.buffers(), *_tensors(values)]

    def arithmetic() -> AbstractContextManager[object]:
        return Autocast(device, LOW[precision]) if precision in LOW else nullcontext()

    inference, operations = Meter(held, marker), {}
    with inference, kernels_of(device), arithmetic(), torch.no_grad():
        model.eval()
        features: dict[str, Features] = {}
        for name in values:
            before = inference.operations
            features |= model.features({name: values[name]})
            operations[f"inputs.{name}"] = inference.operations - before
        before = inference.operations
        outputs = model.decide(Batch(values), features).outputs
        operations["heads"] = inference.operations - before
    batch = Batch(values, _targets(model, rows), _views(model, values))
    held = [*held, *_tensors(batch.targets)]
    training = Meter(held, marker)
    with training, kernels_of(device):
        model.train()
        with arithmetic():
            objective = _objective(model, batch)
        if objective.requires_grad:
            torch.autograd.backward(objective)
    model.zero_grad()
    model.eval()
    reads = {name: tuple(each.data.shape[1:]) for name, each in values.items() if isinstance(each.data, Tensor)}
    return DryRun(reads, features, outputs, operations, training, inference)


def _targets(model: ZooModel, rows: int) -> dict[str, Targets]:
    found = {name: model.head(name).example(rows) for name in model.heads}
    return {name: Targets(value) for name, value in found.items() if value is not None}


def _views(model: ZooModel, values: Mapping[str, Values]) -> dict[str, tuple[Mapping[str, Values], ...]]:
    """Two views of every sample for each head that asks for some; how many it will ask for is not known."""
    return {name: (values, values) for name in model.heads if type(model.head(name)).views is not Head.views}


def _objective(model: ZooModel, batch: Batch) -> Tensor:
    """The loss; of heads without targets a number that depends on all their outputs, as a loss would."""
    result: Result = model(batch)
    losses = [model.loss(result)] if result.losses else []
    unscored = [result.outputs[name] for name in model.heads if name not in result.losses]
    losses += [each.float().mean() for each in _tensors(unscored) if each.requires_grad]
    return sum(losses, torch.zeros(()))


def _tensors(tree: Any) -> list[Tensor]:
    return [each for each in pytree.tree_leaves(tree) if isinstance(each, Tensor)]
