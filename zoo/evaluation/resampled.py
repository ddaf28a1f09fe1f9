"""The corrected resampled t-test: what the folds of two models say of their difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from statistics import fmean, variance
from typing import Any


@dataclass(frozen=True)
class ResampledTest:
    """A mean difference over folds.

    Args:
        value: The mean; NaN where no fold has a difference.
        folds: How many differences there are.
        low: Lower end of its 95 % interval; None without one.
        high: Upper end.
        p: Probability of a mean at least so far from 0 where there is no difference; None without one.
        reason: Why there is no interval.
    """

    value: float
    folds: int
    low: float | None = None
    high: float | None = None
    p: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON; `reason` only where there is one."""
        value = self.value if isfinite(self.value) else None
        told = {"value": value, "folds": self.folds, "low": self.low, "high": self.high, "p": self.p}
        return {**told, "reason": self.reason} if self.reason else told


def resampled_test(differences: Sequence[float], held: float, learnt: float) -> ResampledTest:
    """Tests whether a mean of differences over folds is 0 (Nadeau and Bengio 2003).

    The models of two folds learn from many of the same rows, so that the variance of the mean is not `s^2 / J` but
    `s^2 (1 / J + held / learnt)`; Student's distribution has J - 1 degrees of freedom.

    Args:
        differences: Of each fold of each repeat; those that are NaN are left out.
        held: Rows that a fold holds out.
        learnt: Rows that it learns from.
    """
    known = [each for each in differences if isfinite(each)]
    if not known:
        return ResampledTest(nan, 0, reason="no fold has a value of both")
    mean = fmean(known)
    if len(known) < 2:
        return ResampledTest(mean, 1, reason="one fold does not tell how much folds differ")
    spread = variance(known)
    if spread == 0:
        return ResampledTest(mean, len(known), reason="the difference is the same in every fold")
    from scipy.stats import t

    error = sqrt(spread * (1 / len(known) + held / learnt))
    freedom = len(known) - 1
    half = float(t.ppf(0.975, freedom)) * error
    p = 2 * float(t.sf(abs(mean) / error, freedom))
    return ResampledTest(mean, len(known), mean - half, mean + half, p)
