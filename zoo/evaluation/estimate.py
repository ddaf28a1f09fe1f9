"""A number with how many rows it stands on and its 95 % interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zoo.contract import Metric, MetricRows
from zoo.evaluation.bootstrap import Draws, Question, chosen, count_of, percentiles, resampled
from zoo.evaluation.intervals import adjusted, independent_rows, wilson

SAME = "no interval: the same in every resample"
COSTLY = "no interval: too many rows and classes"


@dataclass(frozen=True, repr=False)
class Estimate:
    """A metric's value, or a difference of two.

    Args:
        value: On all rows; NaN where there is none.
        n: How many rows.
        low: Lower end of the 95 % interval; None where none was computed.
        high: Upper end.
        reason: Why there is no value or no interval.
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def __repr__(self) -> str:
        if isnan(self.value):
            return f"none, because {self.reason} (n={self.n})"
        if self.low is None or self.high is None:
            return f"{self.value:.3f} (n={self.n})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n})"

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The JSON shape of `zoo eval`: `reason` only where there is one."""
        value = None if isnan(self.value) else self.value
        told: dict[str, float | int | str | None] = {"value": value, "n": self.n, "low": self.low, "high": self.high}
        return {**told, "reason": self.reason} if self.reason else told


def estimates(questions: Sequence[Question], draws: Draws) -> list[Estimate]:
    """The metrics, with intervals unless nothing is drawn.

    A share of rows has the interval of Wilson (1927), with as many rows as grouped ones are worth; anything else the
    percentiles of the bootstrap.
    """
    asked = [] if draws.resamples == 0 else [each for each in questions if each.metric.share is None]
    values = dict(zip(map(id, asked), resampled(draws, asked), strict=True))
    return [_estimate(each, draws, values.get(id(each))) for each in questions]


def _estimate(question: Question, draws: Draws, values: Float[Tensor, "resamples"] | None) -> Estimate:
    metric, rows, count = question.metric, question.rows, count_of(question.rows)
    value = float(metric.compute(rows)) if count else float("nan")
    if metric.share is not None and count:
        right, among = metric.share(rows)
        return _share(metric, value, right[among].double(), draws, _groups(draws, question.index, among))
    if isnan(value):
        return Estimate(value, count, reason=metric.undefined if count else "there is no row")
    if values is None:
        return Estimate(value, count)
    if not len(values):
        return Estimate(value, count, reason=COSTLY)
    ends = percentiles(values)
    return Estimate(value, count, reason=SAME) if ends is None else Estimate(value, count, *ends)


def _share(
    metric: Metric, value: float, right: Float[Tensor, "rows"], draws: Draws, groups: Int[Tensor, "rows"] | None
) -> Estimate:
    if not len(right):
        return Estimate(float("nan"), 0, reason=metric.undefined)
    if draws.resamples == 0:
        return Estimate(value, len(right))
    ends = wilson(float(right.mean()), independent_rows(right, groups))
    low, high = ends if metric.of_share is None else map(metric.of_share, ends)
    return Estimate(value, len(right), low, high)


def _groups(draws: Draws, index: Int[Tensor, "chosen"] | None, among: Tensor) -> Int[Tensor, "counted"] | None:
    if draws.groups is None:
        return None
    return (draws.groups if index is None else draws.groups[index])[among]


class Comparison:
    """Several versions of the same rows, told by keys, whose differences in one metric are looked at in pairs.

    Args:
        metric: The metric.
        versions: By key, the rows as each version predicts them.
        draws: Resamples of these rows.
        index: Which of the rows that are drawn these are; None: all.
    """

    def __init__(
        self,
        metric: Metric,
        versions: Mapping[Any, MetricRows],
        draws: Draws,
        index: Int[Tensor, "chosen"] | None = None,
    ) -> None:
        self.metric, self.draws, self.index = metric, draws, index
        kept = versions if index is None else {key: chosen(rows, index) for key, rows in versions.items()}
        self.count = count_of(next(iter(kept.values())))
        self._values = {key: float(metric.compute(rows)) if self.count else float("nan") for key, rows in kept.items()}
        self._right = _right_of(metric, kept)
        self._resampled: dict[Any, Tensor] = {}
        if self._right is None and draws.resamples:
            questions = [Question(metric, rows, index) for rows in kept.values()]
            self._resampled = dict(zip(kept, resampled(draws, questions), strict=True))

    def estimate(self, weights: Mapping[Any, float]) -> Estimate:
        """A weighted sum of the metric of the versions: a difference where the weights add up to 0, else a mean.

        The rows are the same in all versions, and so the interval is that of paired differences: of shares of rows
        adjusted as Bonett and Price (2012) do it, so that it is no point where nothing differs; of other metrics the
        percentiles of the bootstrap.
        """
        value = sum(weight * self._values[key] for key, weight in weights.items())
        if isnan(value):
            return Estimate(value, self.count, reason=self.metric.undefined if self.count else "there is no row")
        if self.draws.resamples == 0:
            return Estimate(value, self.count)
        if self._right is not None:
            each = sum((weight * self._right[key] for key, weight in weights.items()), torch.zeros(self.count).double())
            lowest = -1.0 if abs(sum(weights.values())) < 1e-9 else 0.0
            return Estimate(value, self.count, *adjusted(each, self._independent(each, lowest), lowest, 1.0))
        drawn = [weight * self._resampled[key] for key, weight in weights.items()]
        if not all(map(len, drawn)):
            return Estimate(value, self.count, reason=COSTLY)
        ends = percentiles(torch.stack(drawn).sum(0))
        return Estimate(value, self.count, reason=SAME) if ends is None else Estimate(value, self.count, *ends)

    def _independent(self, each: Float[Tensor, "rows"], lowest: float) -> float:
        """How many independent rows there are; all of them where no row differs, because then no group differs."""
        if lowest < 0 and float(each.abs().max()) < 1e-9:
            return float(self.count)
        groups = _groups(self.draws, self.index, torch.ones(self.count, dtype=torch.bool))
        return independent_rows(each, groups)


def _right_of(metric: Metric, versions: Mapping[Any, MetricRows]) -> dict[Any, Tensor] | None:
    """Of each version which rows are right, if the metric is the share of them among all; None if it is not."""
    if metric.share is None or metric.of_share is not None:
        return None
    found = {}
    for key, rows in versions.items():
        right, among = metric.share(rows)
        if not bool(among.all()):
            return None
        found[key] = right.double()
    return found
