"""A step of training and one of prediction without memory: what a model reads, gives, computes and takes."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from zoo.contract import Head
from zoo.features import Batch, Features, Values
from zoo.model.arithmetic import Autocast, fused_attention
from zoo.model.meter import ROWS, Amount, Meter
from zoo.model.model import ZooModel

Shape: TypeAlias = tuple[int, ...]

LOW = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class DryRun:
    """What a model does with a batch of any size, all of whose values are as large as they can be.

    Args:
        reads: Of each input, the shape of what its backbone reads, without the batch.
        features: Of each input, what its backbone gives, for `ROWS` rows.
        outputs: Of each head, the shapes of its outputs, without the batch.
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


def dry_run(model: ZooModel, device: str, precision: str) -> DryRun:
    """Runs a model on tensors without memory.

    Args:
        model: A model without memory, to which its transfer was applied.
        device: Whose kernels are assumed: `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`.
    """
    values = {name: model.backbone(name).example(ROWS) for name in model.spec.inputs}
    held = [*model.parameters(), *model.buffers(), *_tensors(values)]

    def autocast() -> AbstractContextManager[object]:
        return Autocast(device, LOW[precision]) if precision in LOW else nullcontext()

    inference, operations = Meter(held), {}
    with inference, fused_attention(device), autocast(), torch.no_grad():
        model.eval()
        features: dict[str, Features] = {}
        for name in values:
            before = inference.operations
            features |= model.features({name: values[name]})
            operations[f"inputs.{name}"] = inference.operations - before
        before = inference.operations
        outputs = model.decide(Batch(values), features).outputs
        operations["heads"] = inference.operations - before

    training = Meter(held)
    with training, fused_attention(device):
        model.train()
        with autocast():
            total = _scalar(model(Batch(values, views=_views(model, values))).outputs)
        if total.requires_grad:
            torch.autograd.backward(total)
    model.zero_grad()
    model.eval()
    reads = {name: tuple(each.data.shape[1:]) for name, each in values.items() if isinstance(each.data, Tensor)}
    return DryRun(reads, features, pytree.tree_map(_row_shape, outputs), operations, training, inference)


def _views(model: ZooModel, values: Mapping[str, Values]) -> dict[str, tuple[Mapping[str, Values], ...]]:
    """Two views of every sample for each head that asks for some; how many it will ask for is not known."""
    return {name: (values, values) for name in model.heads if type(model.head(name)).views is not Head.views}


def _scalar(outputs: Any) -> Tensor:
    """A number that depends on all outputs, as a loss does, which needs labels."""
    return sum((each.float().mean() for each in _tensors(outputs) if each.requires_grad), torch.zeros(()))


def _tensors(tree: Any) -> list[Tensor]:
    return [each for each in pytree.tree_leaves(tree) if isinstance(each, Tensor)]


def _row_shape(output: Any) -> Any:
    return tuple(output.shape[1:]) if isinstance(output, Tensor) else output
