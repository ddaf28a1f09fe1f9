"""The bootstrap: rows drawn again, for all metrics and sets of modalities at once, so that differences are paired."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zoo.contract import Metric, MetricRows, Weighted

SEED = 0
AT_ONCE = 2_000_000
"""Weights in memory at the same time."""

ALL_AT_MOST = 50_000_000
"""MetricRows times resamples above which fewer are drawn."""

FEWEST = 200
"""Resamples that are drawn however many rows there are, unless fewer are wanted."""


class Draws:
    """Resamples of rows, drawn with replacement (Efron 1979), in whole groups where rows are grouped.

    The same arguments give the same resamples, each time they are iterated over.

    Args:
        rows: How many rows there are.
        resamples: How many times to draw; fewer are drawn of more than 50,000 rows, where ends hardly move any more.
        groups: The number of each row's group, `(rows,)`.
    """

    def __init__(self, rows: int, resamples: int, groups: Int[Tensor, "rows"] | None = None) -> None:
        self.rows, self.groups = rows, groups
        most = max(ALL_AT_MOST // max(1, rows), FEWEST)
        self.resamples = min(resamples, most) if rows > 1 else 0

    def __iter__(self) -> Iterator[Float[Tensor, "rows _"]]:
        """How often each row counts in some of the resamples, `(rows, some)`, float64."""
        generator = torch.Generator().manual_seed(SEED)
        codes = None if self.groups is None else torch.unique(self.groups, return_inverse=True)[1]
        units = self.rows if codes is None else int(codes.max()) + 1
        step = max(1, AT_ONCE // self.rows)
        for start in range(0, self.resamples, step):
            some = min(step, self.resamples - start)
            drawn = torch.randint(units, (some, units), generator=generator, dtype=torch.int32).long()
            drawn += torch.arange(some)[:, None] * units  # so that one count of all numbers counts each resample apart
            counts = drawn.flatten().bincount(minlength=some * units).reshape(some, units).T.double().contiguous()
            yield counts if codes is None else counts[codes]


@dataclass(frozen=True)
class Question:
    """A metric of some rows.

    Args:
        metric: The metric.
        rows: The rows.
        index: Which of the rows that are drawn these are; None: all.
    """

    metric: Metric
    rows: MetricRows
    index: Int[Tensor, "chosen"] | None = None


def resampled(draws: Draws, questions: Sequence[Question]) -> list[Float[Tensor, "resamples"]]:
    """What each metric is in each of the same resamples: NaN where it has no value, empty where it is too costly."""
    bound = [each.metric.weighted(each.rows) if each.metric.weighted else _one_by_one(each) for each in questions]
    found: list[list[Tensor]] = [[] for _ in questions]
    for weights in draws:
        for question, function, values in zip(questions, bound, found, strict=True):
            if function is not None:
                values.append(function(weights if question.index is None else weights[question.index]))
    return [torch.cat(values) if values else torch.zeros(0, dtype=torch.float64) for values in found]


def percentiles(values: Float[Tensor, "resamples"]) -> tuple[float, float] | None:
    """The middle 95 % of the resamples that have a value; None where all that have one have the same."""
    known = values[~values.isnan()]
    if not len(known) or float(known.max() - known.min()) <= 1e-12 * max(1.0, float(known.abs().max())):
        return None
    low, high = known.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def chosen(rows: MetricRows, index: Int[Tensor, "chosen"]) -> dict[str, Any]:
    """Some of the rows."""
    return {
        name: each[index] if isinstance(each, Tensor) else [each[row] for row in index.tolist()]
        for name, each in rows.items()
    }


def count_of(rows: Mapping[str, Any]) -> int:
    """How many rows there are."""
    return len(next(iter(rows.values()))) if rows else 0


def _one_by_one(question: Question) -> Weighted:
    """A metric that knows no weights, computed for each resample."""
    places = torch.arange(count_of(question.rows))

    def values(weights: Float[Tensor, "rows some"]) -> Float[Tensor, "some"]:
        found = []
        for column in weights.T.long():
            index = places.repeat_interleave(column)
            found.append(question.metric.compute(chosen(question.rows, index)) if len(index) else float("nan"))
        return torch.tensor(found, dtype=torch.float64)

    return values
