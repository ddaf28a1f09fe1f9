"""Tiny heads of `zoo/`, and what they read, for several tests."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from zoo.component import Component, FeatureSpec
from zoo.contract import Head, HeadContext
from zoo.features import Batch, Features, Reading
from zoo_core.declarations import heads as declared

WIDTH = 6


def learnt(options: Any, cells: Iterable[Any]) -> dict[str, Any]:
    """What a head's `fit` learns from label cells."""
    fitted: dict[str, Any] = _attribute(_component(options).fit)(options, _context({}), iter(cells))
    return fitted


def make(options: Any, fitted: Mapping[str, Any] | None = None, width: int = WIDTH) -> Head:
    """A head as its factory makes it, in eval mode."""
    torch.manual_seed(0)
    made: Head = _attribute(_component(options).target)(options, _context(fitted or {}, width))
    return made.eval()


def trained(options: Any, cells: Iterable[Any], width: int = WIDTH) -> Head:
    """A head that knows the label cells of its training rows."""
    return make(options, learnt(options, cells), width)


def reading(pooled: Tensor) -> Reading:
    """What a head reads, of pooled features alone."""
    return Reading(Features(pooled[:, None], pooled), {}, Batch({}))


def outputs(head: Head, rows: int = 4, width: int = WIDTH) -> Tensor:
    """The outputs for random features, always the same."""
    result: Tensor = head(reading(torch.randn(rows, width, generator=torch.Generator().manual_seed(0))))
    return result


def targets(head: Head, cells: Iterable[Any]) -> Tensor:
    """Label cells as the loss takes them."""
    result: Tensor = head.collate([head.label(cell) for cell in cells])
    return result


def _component(options: Any) -> Component:
    return next(each for each in declared.COMPONENTS if each.options is type(options))


def _attribute(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def _context(fitted: Mapping[str, Any], width: int = WIDTH) -> HeadContext:
    return HeadContext(name="mood", features=FeatureSpec(dim=width, pooled_dim=width), fitted=fitted)
