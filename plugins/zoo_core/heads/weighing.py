"""Metrics from how often each row counts: the same formula gives the number and all resamples of a bootstrap."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from zoo.contract import Metric

Rows = Mapping[str, Any]
Weights = Float64[Tensor, "rows resamples"]
Bound = Callable[[Tensor], Tensor]


def weighed(bind: Callable[[Rows], Bound | None], *, higher: bool = True, doc: str, undefined: str = "") -> Metric:
    """A metric that is a function of the rows' weights.

    Args:
        bind: From the rows to the function from weights, `(rows, resamples)`, to numbers, `(resamples,)`.
        higher: Whether more is better.
        doc: One sentence.
        undefined: When it has no number.
    """

    def compute(rows: Rows) -> float:
        bound = bind(rows)
        assert bound is not None or len(_first(rows))
        return float(bound(_once(rows))) if bound is not None else float("nan")

    return Metric(compute, higher, doc, weighted=bind, undefined=undefined or Metric.undefined)


def mean_of(each: Callable[[Rows], Float[Tensor, "rows"]], *, higher: bool = True, doc: str) -> Metric:
    """The mean of a number for each row."""

    def bind(rows: Rows) -> Bound:
        values = each(rows).double()
        return lambda weights: (values @ weights) / weights.sum(0)

    return weighed(bind, higher=higher, doc=doc)


def share_of(
    counted: Callable[[Rows], tuple[Bool[Tensor, "rows"], Bool[Tensor, "rows"]]],
    *,
    doc: str,
    undefined: str = "",
    of_share: Callable[[float], float] | None = None,
) -> Metric:
    """A share of rows.

    Args:
        counted: Which rows are right, and which count.
        doc: One sentence.
        undefined: When none counts.
        of_share: The metric from the share.
    """

    def bind(rows: Rows) -> Bound:
        right, among = (each.double() for each in counted(rows))

        def shares(weights: Tensor) -> Tensor:
            share = ((right * among) @ weights) / (among @ weights)
            return share if of_share is None else of_share(share)  # type: ignore[arg-type, return-value]  # arithmetic

        return shares

    told = weighed(bind, doc=doc, undefined=undefined)
    return Metric(told.compute, True, doc, bind, counted, of_share, told.undefined)


def sums(weights: Weights, codes: Int[Tensor, "rows"], classes: int) -> Float64[Tensor, "classes resamples"]:
    """The weight of the rows of each class."""
    return weights.new_zeros(classes, weights.shape[1]).index_add_(0, codes, weights)


def _first(rows: Rows) -> Any:
    return next(iter(rows.values()))


def _once(rows: Rows) -> Weights:
    return torch.ones(len(_first(rows)), 1, dtype=torch.float64)
