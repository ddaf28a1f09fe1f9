"""In which order rows are drawn, and how they are cut into batches: from seed and epoch alone."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

Draws = Int[np.ndarray, "_draws 2"]
"""For each draw, the number of the selection and the position in it."""


def in_order(lengths: Sequence[int]) -> Draws:
    """Every row once, in order."""
    return np.concatenate([_pairs(number, np.arange(length)) for number, length in enumerate(lengths)])


def shuffled(lengths: Sequence[int], weights: Sequence[float], seed: int, epoch: int) -> Draws:
    """The draws of an epoch in random order.

    Of each selection `weight * length` rows are drawn, rounded, and those not yet drawn come first: with weight 0.5
    every row comes once in two epochs, with weight 2 twice in each.

    Args:
        lengths: Rows of each selection.
        weights: Of each selection.
        seed: Of the order.
        epoch: From 1.
    """
    parts = [
        _pairs(number, _drawn(length, drawn_rows(length, weight), (seed, number), epoch))
        for number, (length, weight) in enumerate(zip(lengths, weights, strict=True))
    ]
    return np.random.default_rng((seed, len(lengths), epoch)).permutation(np.concatenate(parts))


WINDOW = 50
"""Batches among which rows are exchanged so that those of about the same length come together."""


def bucketed(draws: Draws, lengths: Int[np.ndarray, "draws"], size: int, seed: int, epoch: int) -> Draws:
    """The draws in another order: rows of about the same length stand in one batch, and little of it is padding.

    Within a window of batches rows are sorted by length, and the batches are shuffled. Rows behind the last whole batch
    stay where they are.

    Args:
        draws: In random order.
        lengths: The length of each draw's row, in any unit.
        size: Rows of a batch.
        seed: Of the order.
        epoch: From 1.
    """
    whole = len(draws) // size * size
    window = WINDOW * size
    starts = range(0, whole, window)
    order = [start + np.argsort(lengths[start : min(start + window, whole)], kind="stable") for start in starts]
    batches_ = np.concatenate([*order, np.zeros(0, np.int64)]).astype(np.int64).reshape(-1, size)
    mixed = np.random.default_rng((seed, whole, epoch)).permutation(batches_)
    return np.concatenate([draws[mixed.reshape(-1)], draws[whole:]])


def drawn_rows(length: int, weight: float) -> int:
    """How many rows of a selection an epoch draws, at least one."""
    return max(1, round(length * weight))


def batches(draws: Draws, size: int, least: int = 2) -> Iterator[Draws]:
    """The draws in batches.

    Args:
        draws: The draws.
        size: Rows of a batch.
        least: Fewest rows of a batch: a last one with fewer joins the one before it. BatchNorm cannot learn from a
            single row, and each of several processes needs one.
    """
    count = batch_count(len(draws), size, least)
    for number in range(count):
        yield draws[number * size : (number + 1) * size if number < count - 1 else len(draws)]


def batch_count(rows: int, size: int, least: int = 2) -> int:
    """How many batches so many rows make."""
    whole, rest = divmod(rows, size)
    return whole + (rest >= max(2, least) or (rest > 0 and whole == 0))


def seed_of(*parts: int | str) -> int:
    """A seed that differs wherever a part does."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest())


def seeds_of(parts: tuple[int, ...], first: int, count: int) -> list[int]:
    """A seed for each of some numbers that follow one another; another one wherever a part or a number differs.

    The mixing of SplitMix64 (Steele et al. 2014), of all numbers at once.

    Args:
        parts: What all of them are for.
        first: The first number.
        count: How many.
    """
    mixed = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += np.uint64(seed_of(*parts))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    seeds: list[int] = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(8)).tolist()
    return seeds


def _pairs(number: int, positions: Int[np.ndarray, "rows"]) -> Draws:
    return np.stack([np.full_like(positions, number), positions], axis=1)


def _drawn(length: int, count: int, seed: tuple[int, int], epoch: int) -> Int[np.ndarray, "count"]:
    """The next `count` of an endless row of permutations of all positions, those of earlier epochs passed by."""
    start = (epoch - 1) * count
    passes = range(start // length, (start + count - 1) // length + 1)
    order = np.concatenate([np.random.default_rng((*seed, each)).permutation(length) for each in passes])
    first = start - passes[0] * length
    return order[first : first + count]
