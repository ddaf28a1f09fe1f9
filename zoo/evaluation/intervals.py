"""Intervals of shares, and of differences between them, that are right at their ends: 12 of 12 is not 1 for sure."""

from math import sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor

Z = 1.959963984540054
"""95 % of the normal distribution lie within so many deviations."""


def wilson(share: float, rows: float) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927).

    Args:
        share: The share.
        rows: How many independent rows it stands on; need not be whole.
    """
    middle = share + Z**2 / (2 * rows)
    half = Z * sqrt(share * (1 - share) / rows + Z**2 / (4 * rows**2))
    whole = 1 + Z**2 / rows
    # Rounding would leave the ends beside 0 and 1.
    low = 0.0 if share == 0 else (middle - half) / whole
    high = 1.0 if share == 1 else (middle + half) / whole
    return low, high


def adjusted(values: Float[Tensor, "rows"], rows: float, low: float, high: float) -> tuple[float, float]:
    """The 95 % interval of the mean of numbers between two bounds.

    Pseudo-rows at the bounds keep it from being a point where all rows are alike. Of shares, two at each (Agresti and
    Coull 1998); of differences of paired shares, one at each (Bonett and Price 2012). Ours takes means of several
    decisions of a row too.

    Args:
        values: A number for each row.
        rows: How many independent rows they are worth.
        low: Least that a row can have: 0 of shares, -1 of differences.
        high: Most, 1.
    """
    each = 1 if low < 0 else 2
    total = rows + 2 * each
    mean = (float(values.mean()) * rows + each * (low + high)) / total
    square = (float(values.square().mean()) * rows + each * (low**2 + high**2)) / total
    half = Z * sqrt(max(0.0, square - mean**2) / total)
    return max(low, mean - half), min(high, mean + half)


def independent_rows(values: Float[Tensor, "rows"], groups: Int[Tensor, "rows"] | None) -> float:
    """How many independent rows grouped ones are worth, for their mean (Korn and Graubard 1998).

    The rows divided by their design effect (Kish 1965), and fewer the fewer groups it is estimated from. As many as
    there are groups where all rows are alike, because then nothing tells how alike the rows of a group are.

    Args:
        values: A number for each row.
        groups: The number of each row's group; None where rows are independent.
    """
    count = len(values)
    if groups is None:
        return float(count)
    _, codes = torch.unique(groups, return_inverse=True)
    number = int(codes.max()) + 1
    apart = values - values.mean()
    alone = float(apart.square().sum())
    if alone < 1e-12:
        return float(number)
    together = float(torch.zeros(number, dtype=values.dtype).index_add_(0, codes, apart).square().sum())
    together *= number / max(1, number - 1)
    worth = min(1.0, alone / together) if together > 0 else 1.0
    return max(1.0, count * worth * (Z / student(max(1, number - 1))) ** 2)


def student(freedom: int) -> float:
    """Within so many deviations lie 95 % of Student's distribution, to a thousandth from 3 degrees of freedom on.

    By its expansion around the normal distribution (Abramowitz and Stegun 1964, 26.7.5).
    """
    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    )
    return Z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))
