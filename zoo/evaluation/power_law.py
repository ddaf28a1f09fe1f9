"""How an error falls with the number of rows: a power law, with what it says of more of them, if it says anything."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

RESAMPLES = 300
FEWEST = 3
"""Sizes that a law is fitted to, at least."""

FLATTEST, STEEPEST = 0.01, 2.0
"""Least and largest exponent; those of real learning curves are mostly below 1 (Hestness et al. 2017)."""


@dataclass(frozen=True)
class PowerLaw:
    """The error `floor + scale * rows ** -exponent`."""

    floor: float
    scale: float
    exponent: float

    def __call__(self, rows: float) -> float:
        """The error of so many rows."""
        return float(self.floor + self.scale * rows**-self.exponent)


@dataclass(frozen=True)
class Expected:
    """The error that is expected of more rows, with its 95 % interval."""

    rows: int
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Extrapolation:
    """What a learning curve says of more rows.

    Args:
        law: The law; None where there is none to speak of.
        expected: Of more rows.
        reason: Why there is none.
    """

    law: PowerLaw | None
    expected: tuple[Expected, ...] = field(default=())
    reason: str = ""


def fit_power_law(rows: Sequence[float], errors: Sequence[float]) -> PowerLaw:
    """The law with the least squares, its floor not below 0 and not above the least error.

    Of every exponent the best floor and scale follow; the exponent is looked for on a grid and then beside.

    Args:
        rows: Numbers of rows, three or more.
        errors: The error of each.
    """
    from scipy.optimize import minimize_scalar

    sizes = np.asarray(rows, np.float64) / max(rows)  # so that floor and scale are of the same order
    found = np.asarray(errors, np.float64)
    grid = np.linspace(0.0, STEEPEST, 41)[1:]
    best = min(grid, key=lambda each: _line(sizes**-each, found)[2])
    step = grid[1] - grid[0]
    ends = max(best - step, FLATTEST), min(best + step, STEEPEST)
    refined = minimize_scalar(lambda each: _line(sizes**-each, found)[2], bounds=ends, method="bounded").x
    exponent = min(best, refined, key=lambda each: _line(sizes**-each, found)[2])
    floor, scale, _ = _line(sizes**-exponent, found)
    return PowerLaw(floor, float(scale * max(rows) ** exponent), float(exponent))


def _line(powers: Float[np.ndarray, "sizes"], errors: Float[np.ndarray, "sizes"]) -> tuple[float, float, float]:
    """Floor and scale with the least squares, in their bounds, and the sum of squares."""
    centred = powers - powers.mean()
    slope = float(centred @ errors / (centred @ centred))
    floor = min(max(0.0, float(errors.mean()) - slope * float(powers.mean())), max(0.0, float(errors.min())))
    scale = max(0.0, float((errors - floor) @ powers / (powers @ powers)))
    return floor, scale, float(((floor + scale * powers - errors) ** 2).sum())


def extrapolate(
    rows: Sequence[int], errors: Float[np.ndarray, "folds sizes"], more: Sequence[int], seed: int = 0
) -> Extrapolation:
    """Fits a law to the mean error of each size, and again to folds drawn with replacement, for its interval.

    Nothing is said where there are fewer than three sizes, or where the error does not fall: the resamples, of which at
    least 95 % must end lower than they began, tell it.

    Args:
        rows: The sizes, the smallest first.
        errors: Of each fold at each size.
        more: The numbers of rows of which to say something.
        seed: Of the resamples.
    """
    if len(rows) < FEWEST:
        return Extrapolation(None, reason=f"there are {len(rows)} sizes, and {FEWEST} are the fewest that tell a curve")
    if len(errors) < 2:
        return Extrapolation(None, reason="one fold does not tell how much folds differ")
    random = np.random.default_rng(seed)
    numbers = [tuple(sorted(random.integers(len(errors), size=len(errors)).tolist())) for _ in range(RESAMPLES)]
    means = {each: errors[list(each)].mean(0) for each in numbers}  # few folds are often drawn alike
    if np.mean([means[each][-1] < means[each][0] for each in numbers]) < 0.95:
        return Extrapolation(None, reason="the curve is flat: the error is not shown to fall with more rows")
    law = fit_power_law(rows, errors.mean(0).tolist())
    fitted = {each: fit_power_law(rows, mean.tolist()) for each, mean in means.items()}
    expected = []
    for count in more:
        low, high = np.quantile([fitted[each](count) for each in numbers], [0.025, 0.975])
        value = law(count)
        expected.append(Expected(count, value, min(value, float(low)), max(value, float(high))))
    return Extrapolation(law, tuple(expected))
