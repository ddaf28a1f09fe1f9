"""Splits rows into those to learn from and those set aside."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from zoo.errors import UsageError


def split(
    rows: int, share: float, seed: int, labels: Sequence[Any] | None = None, groups: Sequence[Any] | None = None
) -> Bool[NDArray[np.bool_], "rows"]:
    """Chooses the rows to set aside: the same ones for the same arguments, at least one, and never all.

    Groups come before labels: where rows are grouped, the classes on both sides are left to chance.

    Args:
        rows: How many rows there are.
        share: Share of them to set aside.
        seed: Of the choice.
        labels: A label for each row. Where they are classes, few enough for the rows set aside, each class has its
            share on both sides (the largest remainders decide), and one with a single row stays with those to learn
            from.
        groups: A group for each row, which is never divided; None is a group of its own.

    Returns:
        True for the rows set aside.

    Raises:
        UsageError: There are not two rows, or not two groups, to split.
    """
    if rows < 2:
        raise UsageError("there is one row, which cannot be split")
    wanted = min(max(1, round(share * rows)), rows - 1)
    random = np.random.default_rng(seed)
    if groups is not None:
        return _whole_groups(groups, wanted, random)
    classes = _classes(labels, wanted) if labels is not None else np.zeros(rows, np.int64)
    aside = np.zeros(rows, np.bool_)
    order = random.permutation(rows)
    for number, count in enumerate(_shares(np.bincount(classes), wanted)):
        aside[order[classes[order] == number][:count]] = True
    return aside


def group_numbers(groups: Sequence[Any]) -> Int[NDArray[np.int64], "rows"]:
    """The number of each row's group, from 0; None is a group of its own."""
    names = [f"row {row}" if group is None else repr(group) for row, group in enumerate(groups)]
    return np.array(np.unique(names, return_inverse=True)[1])


def _classes(labels: Sequence[Any], most: int) -> Int[NDArray[np.int64], "rows"]:
    """The number of each row's class; 0 for all rows where the labels are no classes."""
    numbers: dict[Any, int] = {}
    if all(label is None or isinstance(label, (str, int, float)) for label in labels):
        found = [numbers.setdefault(label, len(numbers)) for label in labels]
        if len(numbers) <= most:
            return np.array(found)
    return np.zeros(len(labels), np.int64)


def _shares(counts: Int[NDArray[np.int64], "classes"], wanted: int) -> Int[NDArray[np.int64], "classes"]:
    """How many rows of each class are set aside: all but one at most."""
    exact = counts * wanted / counts.sum()
    shares: NDArray[np.int64] = np.minimum(np.floor(exact).astype(np.int64), counts - 1)
    remainders = np.argsort(np.floor(exact) - exact, kind="stable")
    while shares.sum() < wanted and (shares < counts - 1).any():
        below = remainders[(shares < counts - 1)[remainders]]
        shares[below[: wanted - shares.sum()]] += 1
    return shares


def _whole_groups(groups: Sequence[Any], wanted: int, random: np.random.Generator) -> Bool[NDArray[np.bool_], "rows"]:
    """Groups in random order, each that brings the number of rows set aside nearer to what is wanted."""
    numbers = group_numbers(groups)
    sizes = np.bincount(numbers)
    if len(sizes) < 2:
        raise UsageError(f"all rows are of the group {groups[0]!r}; a split needs two groups")
    chosen: list[int] = []
    rows = 0
    for group in random.permutation(len(sizes)):
        if abs(wanted - rows - sizes[group]) < abs(wanted - rows) and len(chosen) < len(sizes) - 1:
            chosen.append(group)
            rows += sizes[group]
    aside: NDArray[np.bool_] = np.isin(numbers, chosen or [sizes.argmin()])
    return aside
