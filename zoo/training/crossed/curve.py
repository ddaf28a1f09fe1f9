"""The learning curve: what fewer rows cost, whether the model overfits, and what more labels would give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean
from typing import Any

import numpy as np

from zoo.contract import Metric
from zoo.evaluation.constant import constant_outputs
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.power_law import PowerLaw, extrapolate
from zoo.training.crossed.outcome import Outcome
from zoo.training.crossed.pooled import Pooled, joined, value_of

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
"""Of a fold's rows."""

GAP = 0.5
"""Share of the held-out error that is not there on the rows learnt from, above which a model overfits."""

LOW = 0.5
"""Share of the best constant's error that is left on the rows learnt from, above which a model underfits."""


@dataclass(frozen=True)
class Size:
    """What so many rows give.

    Args:
        rows: How many a fold was given, on average.
        learnt: The metric on the rows learnt from.
        held: On the rows held out, those of all folds together.
        folds: On the rows held out, fold by fold.
    """

    rows: int
    learnt: Estimate
    held: Estimate
    folds: tuple[float, ...]


@dataclass(frozen=True)
class LearningCurve:
    """A head's first metric by the number of rows.

    Args:
        head: The head.
        metric: Its first metric.
        higher: Whether more is better.
        share: Whether it is a share of rows, told in points.
        sizes: The smallest first.
        constant: Of the best constant; NaN of heads without a `task`.
        law: The error as a power law; None where the sizes do not tell one. Of a metric of which more is better, the
            error is what it lacks to 1.
        expected: The metric that is expected of twice and four times the rows.
        verdict: All this in words.
    """

    head: str
    metric: str
    higher: bool
    share: bool
    sizes: Sequence[Size]
    constant: float
    law: PowerLaw | None
    expected: Sequence[Estimate]
    verdict: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        sizes = [
            {
                "rows": each.rows,
                "learnt": each.learnt.as_dict(),
                "held": each.held.as_dict(),
                "folds": [value if isfinite(value) else None for value in each.folds],
            }
            for each in self.sizes
        ]
        law = None if self.law is None else vars(self.law)
        expected = [{"rows": each.n, "value": each.value, "low": each.low, "high": each.high} for each in self.expected]
        return {
            "head": self.head,
            "metric": self.metric,
            "higher": self.higher,
            "share": self.share,
            "sizes": sizes,
            "constant": self.constant if isfinite(self.constant) else None,
            "law": law,
            "expected": expected,
            "verdict": list(self.verdict),
        }


def learning_curve(head: str, pooled: Pooled, outcomes: Mapping[float, Sequence[Outcome]]) -> LearningCurve:
    """Measures the trainings of every size, and says what they mean.

    Args:
        head: The head that is looked at.
        pooled: Measures rows.
        outcomes: By share, the outcome of each fold, the folds in the same order; the rows learnt from were measured.
    """
    name, metric = next(iter(pooled.heads[head].metrics.items()))
    sizes: list[Size] = []
    for _, folds in sorted(outcomes.items()):
        size = _size(head, metric, pooled, folds)
        if size is not None and (not sizes or size.rows > sizes[-1].rows):  # few rows make several shares the same
            sizes.append(size)
    constant = _constant(head, metric, pooled, outcomes[max(outcomes)])
    return _judged(head, name, metric, sizes, constant)


def _size(head: str, metric: Metric, pooled: Pooled, folds: Sequence[Outcome]) -> Size | None:
    held = pooled.rows(head, folds)
    learnt = joined([each.learnt[head] for each in folds if head in each.learnt])
    if held is None or learnt is None:
        return None
    values = tuple(value_of(metric, each.whole.get(head)) for each in folds)
    return Size(
        round(fmean(each.rows for each in folds)), pooled.metric(head, learnt), pooled.metric(head, held), values
    )


def _constant(head: str, metric: Metric, pooled: Pooled, folds: Sequence[Outcome]) -> float:
    rows, made = pooled.rows(head, folds), pooled.heads[head]
    if made.task is None or rows is None or rows.targets is None:
        return nan
    outputs = constant_outputs(made.task, rows.targets, rows.width)
    return float(metric.compute(made.all_rows(outputs, rows.targets)))


def _judged(head: str, name: str, metric: Metric, sizes: Sequence[Size], constant: float) -> LearningCurve:
    higher, share = metric.higher, metric.share is not None
    told = Teller(name, higher, share)
    errors = np.array([[told.error(value) for value in each.folds] for each in sizes]).T
    known = errors[np.isfinite(errors).all(1)] if len(sizes) else np.zeros((0, 0))
    rows = [each.rows for each in sizes]
    found = extrapolate(rows, known, [2 * rows[-1], 4 * rows[-1]] if rows else [])
    expected = []
    for each in found.expected:
        low, high = sorted([told.metric(each.low), told.metric(each.high)])
        expected.append(Estimate(told.metric(each.error), each.rows, low, high))
    verdict = [told.fit(sizes[-1], constant)] if sizes else []
    verdict.append(told.more(expected, found.reason))
    return LearningCurve(head, name, higher, share, sizes, constant, found.law, expected, verdict)


@dataclass(frozen=True)
class Teller:
    """Sentences about a learning curve.

    Args:
        name: The metric.
        higher: Whether more of it is better.
        share: Whether it is a share of rows.
    """

    name: str
    higher: bool
    share: bool

    def error(self, value: float) -> float:
        """The error of a value of the metric, and the other way round."""
        return 1.0 - value if self.higher else value

    metric = error

    def fit(self, size: Size, constant: float) -> str:
        """Whether the model overfits or underfits."""
        learnt, held = self.error(size.learnt.value), self.error(size.held.value)
        both = f"{self.name} {size.learnt.value:.3f} on the rows learnt from, {size.held.value:.3f} on those held out"
        if not (isfinite(learnt) and isfinite(held)):
            return f"whether it overfits cannot be told: {self.name} has no value"
        apart = size.learnt.low, size.learnt.high, size.held.low, size.held.high
        if held - learnt > GAP * held and _separate(*apart):
            return f"it overfits: {both}; hold it back (freeze more, augment, drop out), or label more"
        if isfinite(constant) and learnt > LOW * self.error(constant):
            best = f"the best constant has {constant:.3f}"
            return f"it underfits: {both}, and {best}; train longer or more of it, or give it better inputs"
        return f"it neither overfits nor underfits: {both}"

    def more(self, expected: Sequence[Estimate], reason: str) -> str:
        """What more labels would give."""
        if not expected:
            return f"what more labels would give cannot be told: {reason}"
        parts = [f"{each.n:,} rows {each.value:.3f} [{each.low:.3f}, {each.high:.3f}]" for each in expected]
        return f"more labels would give about this {self.name}, if the curve goes on as a power law: {'; '.join(parts)}"


def _separate(low: float | None, high: float | None, other_low: float | None, other_high: float | None) -> bool:
    """Whether two intervals do not meet; where one has none, its numbers speak for themselves."""
    if low is None or high is None or other_low is None or other_high is None:
        return True
    return high < other_low or other_high < low
