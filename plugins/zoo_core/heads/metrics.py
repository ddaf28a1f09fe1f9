"""How good predictions are. Every function is called for each resample of a bootstrap: tensor operations alone."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Rows = Mapping[str, Any]


def accuracy(rows: Rows) -> float:
    """Share of the rows whose predicted class is the true one."""
    return float((rows["predicted"] == rows["true"]).double().mean())


def balanced_accuracy(rows: Rows) -> float:
    """Mean over the classes that occur of the share of their rows that are recognised (Brodersen et al. 2010)."""
    hits, actual, _ = _counts_of_codes(rows)
    return float((hits / actual).nanmean())


def macro_f1(rows: Rows) -> float:
    """Mean F1 of the classes; one that is neither true nor predicted in any row is left out."""
    return _mean_f1(*_counts_of_codes(rows))


def macro_f1_of_labels(rows: Rows) -> float:
    """Mean F1 of the labels; one that is neither true nor predicted in any row is left out."""
    return _mean_f1(*_counts_of_labels(rows))


def micro_f1(rows: Rows) -> float:
    """F1 over all decisions of all labels; NaN where nothing is true or predicted."""
    return _mean_f1(*(each.sum(0, keepdim=True) for each in _counts_of_labels(rows)))


def exact_match(rows: Rows) -> float:
    """Share of the rows whose predicted set of labels is the true one."""
    return float((rows["predicted"] == rows["true"]).all(1).double().mean())


def r2(rows: Rows) -> float:
    """Share of the variance that is explained, mean over the columns; those of constant numbers are left out."""
    true = rows["true"]
    unexplained = (rows["predicted"] - true).square().nansum(0)
    variation = (true - true.nanmean(0)).square().nansum(0)
    # Not by the variation itself, which rounding keeps from being exactly 0.
    varies = true.nan_to_num(-torch.inf).amax(0) > true.nan_to_num(torch.inf).amin(0)
    return float(torch.where(varies, 1 - unexplained / variation, torch.nan).nanmean())


def mean_absolute_error(rows: Rows) -> float:
    """Mean absolute error in the unit of the labels, mean over the columns."""
    return float((rows["predicted"] - rows["true"]).abs().nanmean(0).nanmean())


def root_mean_squared_error(rows: Rows) -> float:
    """Root of the mean squared error in the unit of the labels, mean over the columns."""
    return float((rows["predicted"] - rows["true"]).square().nanmean(0).sqrt().nanmean())


Counts = tuple[Float[Tensor, "classes"], Float[Tensor, "classes"], Float[Tensor, "classes"]]
"""Of each class, how many rows are recognised, how many have it, and of how many it is predicted."""


def _counts_of_codes(rows: Rows) -> Counts:
    true, predicted = rows["true"], rows["predicted"]
    classes = int(torch.maximum(true.max(), predicted.max())) + 1
    hits = true[true == predicted].bincount(minlength=classes)
    return hits.double(), true.bincount(minlength=classes).double(), predicted.bincount(minlength=classes).double()


def _counts_of_labels(rows: Rows) -> Counts:
    true, predicted = rows["true"], rows["predicted"]
    return (true & predicted).sum(0).double(), true.sum(0).double(), predicted.sum(0).double()


def _mean_f1(
    hits: Float[Tensor, "classes"], actual: Float[Tensor, "classes"], predicted: Float[Tensor, "classes"]
) -> float:
    return float((2 * hits / (actual + predicted)).nanmean())
