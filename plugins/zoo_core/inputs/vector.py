"""Vectors: numbers and categories of a row, or a list of numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray
from torch import Tensor

from zoo import UsageError
from zoo.component import Modality
from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Vector
from zoo_core.inputs.cells import shown
from zoo_core.inputs.numeric import Scale, moments, number, numbers, tensor
from zoo_core.learnt import learnt_names


def build(options: Vector, context: InputContext) -> "VectorInput":
    """The input of vectors."""
    return VectorInput(options, context.fitted)


def fit(options: Vector, context: InputContext, cells: Iterable[Any]) -> dict[str, Any]:
    """Learns the scale of numbers and the names of categories.

    Args:
        options: The input's options.
        context: Unused: the options name the columns.
        cells: Cells of the training rows; None, a row without a vector, is left out.

    Returns:
        `means` and `deviations` (population) of each column; 0 and 1 of a column of categories. `categories`: by
        column, the sorted names.

    Raises:
        ValueError: A cell is not what this input takes, or there is none.
    """
    found: dict[str, set[str]] = {column: set() for column in options.categories}
    rows = _rows(cells, options, found)
    learnt = moments(np.stack(chunk) for chunk in iter(lambda: list(islice(rows, 4096)), []))
    return {**learnt, "categories": {column: sorted(names - {""}) for column, names in found.items()}}


class VectorInput(InputType):
    """Decodes vectors: standardised numbers, and categories as the number of their name.

    A null or NaN is missing and stays NaN, for the backbone to embed. So is a category that no training row had.
    """

    def __init__(self, options: Vector, fitted: Mapping[str, Any]) -> None:
        self.columns = options.columns
        self.standardize = options.standardize
        self.scale = Scale(fitted)
        self.codes = _codes(options, fitted.get("categories", {}))
        if options.columns:
            self.scale.check_learnt(len(options.columns))
        self.value = self._value(options)

    def _value(self, options: Vector) -> ValueSpec:
        width = self.scale.width
        if width is None and options.columns and not options.categories:
            width = len(options.columns)  # known without looking at the data
        columns = options.columns or [""] * (width or 0)
        categories = tuple(len(self.codes.get(column, ())) for column in columns) if width else ()
        return ValueSpec(modality=Modality.VECTOR, shape=(width,), categories=categories)

    def decode(self, cell: Any, folder: Path) -> Float32[Tensor, "columns"]:
        """The vector of a cell.

        Args:
            cell: Of one column a number, a category or a list of numbers; of several a mapping by column.
            folder: Unused.

        Raises:
            ValueError: A column of numbers holds something else, the width is not that of the training rows, or
                nothing was learnt from training rows yet.
        """
        row = _row(cell, self.columns, self.codes)
        self.scale.check(len(row), "numbers")
        return tensor(self.scale.standardized(row) if self.standardize else row)


def _codes(options: Vector, categories: Any) -> dict[str, dict[str, int]]:
    """The number of each category by its name, by column."""
    if not isinstance(categories, Mapping) or not {*categories} <= {*options.categories}:
        raise UsageError("the categories that it learnt are not those of its columns")
    names = {column: learnt_names(each, f"categories of `{column}`") for column, each in categories.items()}
    return {column: {name: code for code, name in enumerate(each)} for column, each in names.items()}


def category(cell: Any) -> str:
    """The name of a category, "" where it is missing: null, NaN, or the empty text that CSV has for null.

    1, 1.0 and "1" are the same category, because a null turns a column of whole numbers into floats on its way through
    many tools.

    Raises:
        ValueError: It is neither a text nor a number.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (int, np.integer)):
        return str(int(cell))  # a float has not enough digits for long ones
    try:
        value = number(cell)
    except ValueError:
        raise ValueError(f"{shown(cell)} is no category; expected a text or a number") from None
    if isnan(value):
        return ""
    return str(int(value)) if value.is_integer() else str(value)


def _rows(cells: Iterable[Any], options: Vector, found: Mapping[str, set[str]]) -> Iterator[NDArray[np.float64]]:
    """The training rows, unscaled; notes in `found` the names of categories on the way."""
    # While no category is known all of them are missing, which keeps them out of the means.
    unknown: dict[str, dict[str, int]] = {column: {} for column in found}
    width = None
    for cell in cells:
        if cell is None:
            continue
        row = _row(cell, options.columns, unknown)
        width = width or len(row)
        if len(row) != width:
            raise ValueError(f"it has {len(row)} numbers, where the first row has {width}")
        for column, names in found.items():
            names.add(category(_by_column(cell, [column])[column]))
        yield row


def _row(cell: Any, columns: Sequence[str] | None, codes: Mapping[str, Mapping[str, int]]) -> NDArray[np.float64]:
    """A cell as an array of its columns, unscaled; `codes` are the numbers of the categories by column."""
    if columns is None:
        row = np.atleast_1d(numbers(cell))
        if row.ndim > 1 or not len(row):
            raise ValueError(f"it is an array of {' x '.join(map(str, row.shape))}; expected a list of numbers")
        return row
    cells = _by_column(cell, columns)
    return np.array([_entry(column, cells[column], codes.get(column)) for column in columns])


def _by_column(cell: Any, columns: Sequence[str]) -> Mapping[str, Any]:
    cells = cell if isinstance(cell, Mapping) else dict.fromkeys(columns[:1], cell)
    for column in columns:
        if column not in cells:
            raise ValueError(f"{shown(cell)} lacks the column `{column}`")
    return cells


def _entry(column: str, cell: Any, codes: Mapping[str, int] | None) -> float:
    try:
        return number(cell) if codes is None else codes.get(category(cell), nan)
    except ValueError as error:
        hint = "; name it under `categories` if it holds categories" if isinstance(cell, str) else ""
        raise ValueError(f"column `{column}`: {error}{hint}") from None
