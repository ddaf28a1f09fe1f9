"""Splits rows into those to learn from and those set aside."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from zoo.errors import UsageError


def split(
    rows: int, share: float, seed: int, labels: Iterable[Any] | None = None, groups: Iterable[Any] | None = None
) -> Bool[np.ndarray, "rows"]:
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
        return _whole_groups(groups, rows, wanted, random)
    classes = class_numbers(labels, rows, wanted) if labels is not None else np.zeros(rows, np.int64)
    aside = np.zeros(rows, np.bool_)
    order = random.permutation(rows)
    for number, count in enumerate(_shares(np.bincount(classes), wanted)):
        aside[order[classes[order] == number][:count]] = True
    return aside


def group_numbers(groups: Iterable[Any], rows: int) -> Int[np.ndarray, "rows"]:
    """The number of each row's group, from 0, in the order of their names; None is a group of its own.

    Args:
        groups: The group of each row.
        rows: How many there are.
    """
    known: dict[str, int] = {}
    found = np.zeros(rows, np.int64)
    for row, group in enumerate(groups):
        found[row] = known.setdefault(f"row {row}" if group is None else repr(group), len(known))
    ranks = np.empty(len(known), np.int64)
    ranks[[known[name] for name in sorted(known)]] = np.arange(len(known))
    numbered: NDArray[np.int64] = ranks[found]
    return numbered


def class_numbers(labels: Iterable[Any], rows: int, most: int) -> Int[np.ndarray, "rows"]:
    """The number of each row's class; 0 for all rows where the labels are no classes."""
    numbers: dict[Any, int] = {}
    found = np.zeros(rows, np.int64)
    for row, label in enumerate(labels):
        if label is not None and not isinstance(label, (str, int, float)):
            return np.zeros(rows, np.int64)
        found[row] = numbers.setdefault(label, len(numbers))
        if len(numbers) > most:
            return np.zeros(rows, np.int64)
    return found


def _shares(counts: Int[np.ndarray, "classes"], wanted: int) -> Int[np.ndarray, "classes"]:
    """How many rows of each class are set aside: all but one at most."""
    exact = counts * wanted / counts.sum()
    shares: NDArray[np.int64] = np.minimum(np.floor(exact).astype(np.int64), counts - 1)
    remainders = np.argsort(np.floor(exact) - exact, kind="stable")
    while shares.sum() < wanted and (shares < counts - 1).any():
        below = remainders[(shares < counts - 1)[remainders]]
        shares[below[: wanted - shares.sum()]] += 1
    return shares


def _whole_groups(
    groups: Iterable[Any], rows: int, wanted: int, random: np.random.Generator
) -> Bool[np.ndarray, "rows"]:
    """Groups in random order, each that brings the number of rows set aside nearer to what is wanted."""
    numbers = group_numbers(groups, rows)
    sizes = np.bincount(numbers)
    if len(sizes) < 2:
        raise UsageError("all rows are of one group; a split needs two groups")
    chosen: list[int] = []
    taken = 0
    for group in random.permutation(len(sizes)):
        if abs(wanted - taken - sizes[group]) < abs(wanted - taken) and len(chosen) < len(sizes) - 1:
            chosen.append(group)
            taken += sizes[group]
    aside: NDArray[np.bool_] = np.isin(numbers, chosen or [sizes.argmin()])
    return aside
