"""Tiny backbones of `zoo/`, for several tests."""

from dataclasses import replace
from importlib import import_module
from typing import Any

import torch

from zoo.contract import Backbone, BackboneContext, ValueSpec
from zoo.features import Values
from zoo_core.declarations import backbones as declared
from zoo_core.declarations.backbones import GRU, MLP, SequenceTransformer

VECTOR = ValueSpec(modality="vector", shape=(4,), categories=(0, 3, 0, 2))
SEQUENCE = ValueSpec(modality="sequence", shape=(None, 3), max_length=6)
TINY: dict[str, tuple[Any, ValueSpec]] = {
    "mlp": (MLP(width=8, layers=3), VECTOR),
    "mlp of numbers": (MLP(width=8, layers=1), ValueSpec(modality="vector", shape=(5,))),
    "mlp of categories": (MLP(width=8), ValueSpec(modality="vector", shape=(2,), categories=(2, 4))),
    "gru": (GRU(width=8, layers=2), SEQUENCE),
    "gru of one direction": (GRU(width=8, bidirectional=False), SEQUENCE),
    "sequence-transformer": (SequenceTransformer(dim=8, heads=2, layers=3), SEQUENCE),
    "sequence-transformer of odd width": (SequenceTransformer(dim=9, heads=3, layers=1), SEQUENCE),
}


def build(name: str, **changed: Any) -> Backbone:
    """A tiny backbone, with some options changed."""
    options, value = TINY[name]
    return make(replace(options, **changed), value)


def make(options: Any, value: ValueSpec) -> Backbone:
    component = next(each for each in declared.COMPONENTS if each.options is type(options))
    module, _, attribute = component.target.partition(":")
    torch.manual_seed(0)
    built: Backbone = getattr(import_module(module), attribute)(
        options, BackboneContext(name=component.name, value=value)
    )
    return built.eval()


def values(name: str) -> Values:
    """Valid values, some of them missing or padded."""
    value = TINY[name][1]
    if value.modality == "vector":
        codes = [torch.randint(0, count, (5,)) if count else torch.randn(5) for count in value.categories or (0,) * 5]
        rows = torch.stack([code.float() for code in codes], 1)
        rows[2:4, -1] = float("nan")
        return Values(rows)
    return Values(torch.randn(5, 6, 3), torch.tensor([6, 2, 1, 3, 6]))
