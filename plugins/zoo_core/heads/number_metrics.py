"""How good predicted numbers are: rows hold `true` and `predicted`, `(rows, columns)`, NaN where one is missing.

Every metric is the mean over the columns, each from the rows that have it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

from zoo_core.heads.weighing import Bound, Rows, Weights, weighed

Columns = Float64[Tensor, "columns rows"]
CONSTANT = "the true numbers are all the same"
EITHER_CONSTANT = "the true or the predicted numbers are all the same"


def _errors(of: Callable[[Tensor], Tensor], told: Callable[[Tensor], Tensor]) -> Callable[[Rows], Bound]:
    """`told` of the mean of `of` the errors."""

    def bind(rows: Rows) -> Bound:
        there = ~rows["true"].isnan().T
        errors = of(rows["predicted"] - rows["true"]).T.masked_fill(~there, 0)
        return lambda weights: told((errors @ weights) / (there.double() @ weights)).nanmean(0)

    return bind


def _r2(rows: Rows) -> Bound:
    there, true, spread = _centred(rows["true"], rows["true"])
    errors = (rows["predicted"] - rows["true"]).square().T.masked_fill(~there, 0)

    def values(weights: Weights) -> Tensor:
        variation = _variation(there, true, true, weights)
        # Not by the variation itself, which rounding keeps from being exactly 0.
        varies = variation > 1e-12 * spread[:, None].square()
        return torch.where(varies, 1 - (errors @ weights) / variation, torch.nan).nanmean(0)

    return values


def _pearson(rows: Rows) -> Bound:
    there, true, spread = _centred(rows["true"], rows["true"])
    _, predicted, breadth = _centred(rows["predicted"], rows["true"])

    def values(weights: Weights) -> Tensor:
        own = _variation(there, true, true, weights)
        other = _variation(there, predicted, predicted, weights)
        varies = (own > 1e-12 * spread[:, None].square()) & (other > 1e-12 * breadth[:, None].square())
        both = _variation(there, true, predicted, weights)
        return torch.where(varies, both / (own * other).sqrt(), torch.nan).nanmean(0)

    return values


def _spearman(rows: Rows) -> Bound:
    there = ~rows["true"].isnan()
    columns = [
        (there[:, each], _places(rows["true"][there[:, each], each]), _places(rows["predicted"][there[:, each], each]))
        for each in range(there.shape[1])
    ]

    def values(weights: Weights) -> Tensor:
        found = [
            _of_ranks(_ranks(true, weights[kept]), _ranks(told, weights[kept]), weights[kept])
            for kept, true, told in columns
        ]
        return torch.stack(found).nanmean(0)

    return values


def _of_ranks(true: Tensor, predicted: Tensor, weights: Weights) -> Tensor:
    """Pearson's correlation of ranks, `(rows, resamples)` each."""
    total = weights.sum(0)
    true = true - (true * weights).sum(0) / total
    predicted = predicted - (predicted * weights).sum(0) / total
    own, other = (weights * true * true).sum(0), (weights * predicted * predicted).sum(0)
    varies = (own > 1e-9) & (other > 1e-9)  # ranks are halves of whole numbers
    return torch.where(varies, (weights * true * predicted).sum(0) / (own * other).sqrt(), torch.nan)


def _places(numbers: Float64[Tensor, "rows"]) -> tuple[Tensor, Tensor, Tensor]:
    """The rows in order, where the equals of each row begin in it, and where they end."""
    order = numbers.argsort(stable=True)
    _, counts = torch.unique_consecutive(numbers[order], return_counts=True)
    ends = counts.cumsum(0)
    back = order.argsort()
    return order, (ends - counts).repeat_interleave(counts)[back], ends.repeat_interleave(counts)[back]


def _ranks(places: tuple[Tensor, Tensor, Tensor], weights: Weights) -> Tensor:
    """The mean rank of each row among its equals, but for a constant."""
    order, begins, ends = places
    before = torch.cat([weights.new_zeros(1, weights.shape[1]), weights[order].cumsum(0)])
    return (before[begins] + before[ends]) / 2


def _centred(numbers: Tensor, true: Tensor) -> tuple[Tensor, Columns, Float64[Tensor, "columns"]]:
    """Which numbers are there, `(columns, rows)`; the numbers without their mean, 0 where missing; how far they reach.

    What is the same everywhere is 0, so that no sum of roundings passes for a variation.
    """
    there = ~true.isnan()
    known = numbers.masked_fill(~there, torch.nan)
    high, low = known.nan_to_num(-torch.inf).amax(0), known.nan_to_num(torch.inf).amin(0)
    centred = torch.where(high > low, known - known.nanmean(0), 0).masked_fill(~there, 0)
    return there.T, centred.T, (high - low).clamp(min=0)


def _variation(there: Tensor, first: Columns, second: Columns, weights: Weights) -> Tensor:
    """Sum of the products of the numbers' distances from their means."""
    count = there.double() @ weights
    return (first * second) @ weights - (first @ weights) * (second @ weights) / count


R2 = weighed(_r2, doc="Share of the variance that is explained, mean over the columns.", undefined=CONSTANT)
MAE = weighed(_errors(torch.abs, lambda mean: mean), higher=False, doc="Mean absolute error, mean over the columns.")
RMSE = weighed(
    _errors(torch.square, torch.sqrt), higher=False, doc="Root of the mean squared error, mean over the columns."
)
PEARSON = weighed(_pearson, doc="Pearson's correlation, mean over the columns.", undefined=EITHER_CONSTANT)
SPEARMAN = weighed(_spearman, doc="Spearman's rank correlation, mean over the columns.", undefined=EITHER_CONSTANT)
