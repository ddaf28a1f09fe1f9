"""What vectors and sequences have alike: checked numbers, and their scale."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import nan
from numbers import Real
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from numpy.typing import NDArray
from torch import Tensor

from zoo import UsageError
from zoo_core.inputs.cells import shown, without_torch
from zoo_core.learnt import learnt_numbers

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LARGEST = float(np.finfo(np.float32).max)


def number(cell: Any) -> float:
    """The number in a cell: NaN where it is null, 0 or 1 for a truth value.

    A text is the number that it writes, so that one bad cell of a CSV file, which makes texts of all of its column, is
    told at its own line; the empty text is null.

    Raises:
        ValueError: It is no number, or none that float32 can hold.
    """
    if isinstance(cell, str):
        cell = _written(cell)
    if cell is None:
        return nan
    if not isinstance(cell, (float, int, Real, Decimal, np.bool_)):  # the first two are Real, and found at once
        hint = (
            "; a cell with a whole list is named by `column`, not by `columns`"
            if isinstance(cell, (list, tuple))
            else ""
        )
        raise ValueError(f"{shown(cell)} is no number{hint}")
    try:
        value = float(cell)
    except OverflowError:
        value = np.inf
    if abs(value) > _LARGEST:
        raise ValueError(f"{shown(cell)} is too large a number")
    return value


def _written(text: str) -> Any:
    """The number that a text writes, None for the empty text, else the text."""
    if not text:
        return None
    return float(text) if _NUMBER.fullmatch(text.strip()) else text


def numbers(cell: Any) -> NDArray[np.float64]:
    """The numbers in an array or in nested lists, as a new array; null becomes NaN.

    Raises:
        ValueError: They are ragged, or hold something that is no number, or none that float32 can hold.
    """
    cell = without_torch(cell)
    if isinstance(cell, np.ndarray) and cell.dtype == object:
        cell = list(cell)  # an array of arrays, which is how pandas gives nested lists
    try:
        array = np.array(cell)
    except ValueError:
        raise ValueError(f"{shown(cell)} has parts of different lengths") from None
    if array.dtype.kind not in "biuf":
        plain = np.array(cell, dtype=object)
        return np.array([number(each) for each in plain.ravel()], dtype=np.float64).reshape(plain.shape)
    array = array.astype(np.float64)
    large = np.abs(array) > _LARGEST
    if large.any():
        raise ValueError(f"{array[large][0]} is too large a number")
    return array


def moments(chunks: Iterable[NDArray[np.float64]]) -> dict[str, list[float]]:
    """Mean and population deviation of each column, over all rows of all chunks, NaN left out.

    Sums are taken of differences from the first number, so that large numbers close together lose no digits and a
    constant column has a deviation of exactly 0.

    Args:
        chunks: Arrays `(rows, columns)`.

    Returns:
        `means` and `deviations`. A constant column's deviation is given as 1; a column without numbers has mean 0.

    Raises:
        ValueError: There is no chunk.
    """
    first = np.empty(0)
    count = total = squares = np.zeros(1)
    for chunk in chunks:
        known = ~np.isnan(chunk)
        here = chunk[known.argmax(0), np.arange(chunk.shape[1])]
        first = np.where(np.isnan(first), here, first) if len(first) else here
        difference = np.where(known, chunk - first, 0)
        count = count + known.sum(0)
        total = total + difference.sum(0)
        squares = squares + (difference**2).sum(0)
    if not len(first):
        raise ValueError("no training row has it, so its scale cannot be learnt")
    mean = total / np.maximum(count, 1)
    deviations = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    return {
        "means": (np.nan_to_num(first) + mean).tolist(),
        "deviations": np.where(deviations > 0, deviations, 1).tolist(),
    }


def scale_learnt(
    fitted: Mapping[str, Any], count: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and deviations, as `moments` gives them.

    Args:
        fitted: What was learnt.
        count: How many there must be of each; one or more unless given.

    Raises:
        UsageError: They are not there, or something else.
    """
    means = np.array(learnt_numbers(fitted, "means", count), dtype=np.float64)
    deviations = np.array(learnt_numbers(fitted, "deviations", len(means)), dtype=np.float64)
    if not (deviations > 0).all():
        raise UsageError("of the deviations that it learnt some are not above 0")
    return means, deviations


class Scale:
    """What `moments` found in the training rows.

    Args:
        fitted: What it returned, perhaps among other things; empty where nothing was learnt yet.

    Raises:
        UsageError: It is something else.
    """

    def __init__(self, fitted: Mapping[str, Any]) -> None:
        self.means, self.deviations = scale_learnt(fitted) if fitted else (np.empty(0), np.empty(0))
        self.width: int | None = len(self.means) or None

    def check_learnt(self, width: int) -> None:
        """Refuses a scale of another width, if one was learnt.

        Raises:
            UsageError: It is.
        """
        if self.width not in (None, width):
            raise UsageError(f"the means that it learnt are {self.width}, and its columns {width}")

    def check(self, width: int, what: str) -> None:
        """Refuses values of another width than the training rows had.

        Raises:
            ValueError: They are, or there were no training rows.
        """
        if self.width is None:
            raise ValueError("nothing was learnt of its scale yet: build the model from a spec with `data.train`")
        if width != self.width:
            raise ValueError(f"it has {width} {what}; the training rows have {self.width}")

    def standardized(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values with the mean 0 and deviation 1 of the training rows."""
        scaled: NDArray[np.float64] = (values - self.means) / self.deviations
        return scaled


def tensor(values: NDArray[np.float64]) -> Float32[Tensor, "..."]:
    """The numbers in the precision that networks take."""
    return torch.from_numpy(values.astype(np.float32))
