"""Tiny fusions of `zoo/`, and features to fuse, for several tests."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from zoo.component import FeatureSpec
from zoo.contract import Fusion, FusionContext
from zoo.features import Features
from zoo_core.declarations import fusions as declared
from zoo_core.declarations.fusions import Concat, Gated, Late, TokenTransformer

SHAPES = {
    "photo": FeatureSpec(dim=6, pooled_dim=10, tokens=4),
    "review": FeatureSpec(dim=5, pooled_dim=5),
    "values": FeatureSpec(dim=3, pooled_dim=3, tokens=1),  # a name that nn.Module has for itself
}
TOKENS = {"photo": 4, "review": 6, "values": 1}
TINY: dict[str, Any] = {
    "concat": Concat(dim=8),
    "late": Late(dim=8),
    "late of equal weights": Late(dim=8, learned=False),
    "gated": Gated(dim=8),
    "token-transformer": TokenTransformer(dim=8, layers=2, heads=2),
    "token-transformer of pooled": TokenTransformer(dim=8, layers=1, heads=4, reads="pooled"),
}


def build(name: str, shapes: Mapping[str, FeatureSpec] = SHAPES, **changed: Any) -> Fusion:
    """A tiny fusion in eval mode, with some options changed. No parameter is zero, as after training."""
    fusion = make(name, shapes, **changed)
    generator = torch.Generator().manual_seed(1)
    for parameter in fusion.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return fusion.eval()


def make(name: str, shapes: Mapping[str, FeatureSpec] = SHAPES, **changed: Any) -> Fusion:
    """A tiny fusion as its factory makes it."""
    options = replace(TINY[name], **changed)
    component = next(each for each in declared.COMPONENTS if each.options is type(options))
    module, _, attribute = component.target.partition(":")
    torch.manual_seed(0)
    made: Fusion = getattr(import_module(module), attribute)(options, FusionContext(inputs=shapes))
    return made


def features(rows: int, seed: int = 0, shapes: Mapping[str, FeatureSpec] = SHAPES) -> dict[str, Features]:
    """Features of every input in every row, all real."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: Features(
            torch.randn(rows, TOKENS[name], shape.dim, generator=generator),
            torch.randn(rows, shape.pooled_dim, generator=generator),
        )
        for name, shape in shapes.items()
    }


def masked(
    inputs: Mapping[str, Features], masks: Mapping[str, Bool[Tensor, "batch _tokens"]], value: float = 0.0
) -> Any:
    """The features under masks; the value stands where a mask is False, and in the pooled features of absent rows."""
    return {
        name: Features(
            each.tokens.masked_fill(~masks[name][..., None], value),
            each.pooled.masked_fill(~masks[name].any(1, keepdim=True), value),
            masks[name],
        )
        for name, each in inputs.items()
    }


def without(inputs: Mapping[str, Features], *absent: str) -> dict[str, Features]:
    """The features as they are where all rows lack these inputs, and all tokens of the others are real."""
    masks = {
        name: torch.full(each.tokens.shape[:2], name not in absent, dtype=torch.bool) for name, each in inputs.items()
    }
    made: dict[str, Features] = masked(inputs, masks)
    return made
