"""What is left of a model where modalities go missing at random."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from zoo.contract import MetricRows

RATES = tuple(round(0.1 * step, 1) for step in range(10))
"""Shares of the modalities that go missing."""

DRAWS = 5
"""How many times it is drawn which."""


def kept_inputs(
    present: Bool[Tensor, "rows inputs"], rate: float, generator: torch.Generator
) -> Bool[Tensor, "rows inputs"]:
    """Which of the inputs of each row are left when each goes missing with a probability.

    A row never loses all that it has: where it would, one of them stays, drawn at random.

    Args:
        present: Which inputs each row has; any.
        rate: The probability.
        generator: Of the draw.
    """
    luck = torch.rand(present.shape, generator=generator)
    kept = present & (luck >= rate)
    rescued = torch.nn.functional.one_hot(luck.masked_fill(~present, -1).argmax(1), present.shape[1]).bool()
    return torch.where(kept.any(1, keepdim=True), kept, rescued & present)


def subset_numbers(
    kept: Bool[Tensor, "rows inputs"], names: Sequence[str], subsets: Sequence[tuple[str, ...]]
) -> Int[Tensor, "rows"]:
    """For each row, which of the subsets is left of it."""
    digits = 2 ** torch.arange(len(names))
    found = torch.zeros(2 ** len(names), dtype=torch.long)
    for number, subset in enumerate(subsets):
        found[sum(2**place for place, name in enumerate(names) if name in subset)] = number
    return found[(kept * digits).sum(1)]


def picked(versions: Sequence[MetricRows], which: Int[Tensor, "rows"]) -> dict[str, Any]:
    """Rows made up of several versions of the same rows.

    Args:
        versions: The versions.
        which: For each row, which version it is taken from.
    """
    places = torch.arange(len(which))
    rows: dict[str, Any] = {}
    for name, first in versions[0].items():
        columns = [each[name] for each in versions]
        if isinstance(first, Tensor):
            rows[name] = torch.stack(columns)[which, places]
        else:
            rows[name] = [columns[version][row] for row, version in enumerate(which.tolist())]
    return rows


def area_weights(rates: Sequence[float]) -> list[float]:
    """By how much the score at each rate counts in the mean under the curve (trapezoids); they add up to 1."""
    width = rates[-1] - rates[0]
    weights = [0.0] * len(rates)
    for place, (left, right) in enumerate(pairwise(rates)):
        weights[place] += (right - left) / 2 / width
        weights[place + 1] += (right - left) / 2 / width
    return weights
