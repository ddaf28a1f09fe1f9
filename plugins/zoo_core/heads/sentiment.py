"""The metrics of multimodal sentiment analysis, for numbers between -3 (negative) and 3 (positive).

Two binary tasks go by the name of acc2 in that literature; both are told, each by its own name (Hazarika et al. 2020).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from zoo_core.heads.weighing import Bound, Rows, Weights, share_of, weighed


def _signs(rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Whether true and predicted numbers are not negative; every row counts."""
    true, predicted = rows["true"][:, 0], rows["predicted"][:, 0]
    return true >= 0, predicted >= 0, torch.ones_like(true, dtype=torch.bool)


def _without_zeros(rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Whether true and predicted numbers are positive; rows whose true number is 0 do not count."""
    true, predicted = rows["true"][:, 0], rows["predicted"][:, 0]
    return true > 0, predicted > 0, true != 0


def _right(of: Callable[[Rows], tuple[Tensor, Tensor, Tensor]]) -> Callable[[Rows], tuple[Tensor, Tensor]]:
    def counted(rows: Rows) -> tuple[Tensor, Tensor]:
        true, predicted, counts = of(rows)
        return true == predicted, counts

    return counted


def _f1(of: Callable[[Rows], tuple[Tensor, Tensor, Tensor]]) -> Callable[[Rows], Bound]:
    """The F1 of both classes, weighed by how many rows have them."""

    def bind(rows: Rows) -> Bound:
        true, predicted, counts = of(rows)
        sides = [
            tuple((each & counts).double() for each in (a & b, a, b))
            for a, b in ((true, predicted), (~true, ~predicted))
        ]

        def values(weights: Weights) -> Tensor:
            total = counts.double() @ weights
            parts = []
            for hits, actual, told in sides:
                both = (actual + told) @ weights
                parts.append(torch.where(both > 0, (actual @ weights) * 2 * (hits @ weights) / both, 0))
            return torch.stack(parts).sum(0) / total

        return values

    return bind


def _seven(rows: Rows) -> tuple[Tensor, Tensor]:
    true, predicted = (rows[key][:, 0].clamp(-3, 3).round() for key in ("true", "predicted"))
    return true == predicted, torch.ones_like(true, dtype=torch.bool)


NO_SIGN = "every true number is 0"
SENTIMENT = {
    "acc2_non_negative": share_of(_right(_signs), doc="Accuracy of negative against not negative (0 is not negative)."),
    "f1_non_negative": weighed(_f1(_signs), doc="F1 of negative and not negative, weighed by their rows."),
    "acc2_positive": share_of(
        _right(_without_zeros),
        doc="Accuracy of negative against positive, without the rows whose true number is 0.",
        undefined=NO_SIGN,
    ),
    "f1_positive": weighed(
        _f1(_without_zeros),
        doc="F1 of negative and positive, weighed by their rows, without those whose true number is 0.",
        undefined=NO_SIGN,
    ),
    "acc7": share_of(_seven, doc="Accuracy of the numbers, cut to -3..3 and rounded."),
}
