"""Regression: one or more numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn import functional as F

from zoo import UsageError
from zoo.contract import Head, HeadContext, Metric
from zoo.features import Reading
from zoo_core.declarations.heads import Regressor
from zoo_core.heads.layers import hidden_layers
from zoo_core.heads.number_metrics import MAE, PEARSON, R2, RMSE, SPEARMAN
from zoo_core.heads.sentiment import SENTIMENT
from zoo_core.inputs.cells import shown
from zoo_core.inputs.numeric import moments, number, scale_learnt

LOSSES: Mapping[str, Callable[..., Tensor]] = {"squared": F.mse_loss, "absolute": F.l1_loss, "huber": F.huber_loss}


def build(options: Regressor, context: HeadContext) -> "RegressionHead":
    """The regressor that the options describe.

    Raises:
        UsageError: The scale of its numbers is learnt from training rows, and there were none.
    """
    return RegressionHead(options, context)


def fit(options: Regressor, context: HeadContext, cells: Iterable[Any]) -> dict[str, Any]:
    """Learns the scale of the numbers in the training rows.

    Args:
        options: The head's options.
        context: Unused: the options name the columns.
        cells: Label cells as they stand in the table, without nulls.

    Returns:
        `means` and `deviations` (population, 1 where constant) of each column; nothing unless `standardize`.

    Raises:
        ValueError: A cell holds something else than numbers, or there is none.
    """
    rows = [numbers_in(cell, options.columns) for cell in cells]
    if not rows:
        raise ValueError("no training row has a label, so the scale of the numbers cannot be learnt")
    return moments([np.array(rows)]) if options.standardize else {}


def numbers_in(cell: Any, columns: Sequence[str] | None) -> list[float]:
    """The numbers of a label.

    Args:
        cell: A number; of several columns a mapping of column to number, some of which may be null.
        columns: The columns, where the options name them.

    Returns:
        A number for each column; NaN where it is missing.

    Raises:
        ValueError: It holds something else, or no number at all.
    """
    if columns and (len(columns) > 1 or isinstance(cell, Mapping)):
        numbers = [_entry(cell, column) for column in columns]
    else:
        numbers = [_number(cell)]
    if all(map(isnan, numbers)):
        raise ValueError(f"{shown(cell)} holds no number; the cell of a row without a label is null")
    return numbers


class RegressionHead(Head):
    """A number for each column from the pooled features, learnt on standardised numbers and told in their own unit.

    The loss is the mean over the numbers that are there: a row may lack some of its columns. `huber` is quadratic up to
    one standard deviation, and linear beyond (Huber 1964).
    """

    task = "numbers"
    metrics = {"r2": R2, "mae": MAE, "rmse": RMSE}

    def __init__(self, options: Regressor, context: HeadContext) -> None:
        super().__init__()
        width = context.features.pooled_dim
        self.columns = options.columns
        self.sentiment = options.sentiment
        self.loss_of = LOSSES[options.loss]
        count = len(options.columns or [""])
        self.means, self.deviations = [0.0] * count, [1.0] * count
        if options.standardize:
            if not context.fitted:
                raise UsageError("the scale of its numbers is learnt from the training rows: name them in `data.train`")
            means, deviations = scale_learnt(context.fitted, count)
            self.means, self.deviations = means.tolist(), deviations.tolist()
        self.hidden = hidden_layers(options, width)
        self.output = nn.Linear(width, count)

    def forward(self, reading: Reading, targets: Any = None) -> Float[Tensor, "batch columns"]:
        """Standardised numbers."""
        numbers: Tensor = self.output(self.hidden(reading.fused.pooled))
        return numbers

    def loss(
        self, outputs: Float[Tensor, "batch columns"], targets: Float[Tensor, "batch columns"]
    ) -> Float[Tensor, ""]:
        """Mean loss of the numbers that are there; NaN is missing."""
        missing = targets.isnan()
        losses = self.loss_of(outputs.float(), targets.masked_fill(missing, 0), reduction="none")
        return losses.masked_fill(missing, 0).sum() / (~missing).sum()

    def decode(self, outputs: Float[Tensor, "batch columns"]) -> list[Any]:
        """Of each row the number; of several columns, the numbers by column."""
        rows: list[list[float]] = self._unscaled(outputs).tolist()
        if self.columns and len(self.columns) > 1:
            return [dict(zip(self.columns, row, strict=True)) for row in rows]
        return [row[0] for row in rows]

    def prediction_type(self) -> Any:
        """A number; of several columns, one for each."""
        return dict.fromkeys(self.columns, float) if self.columns and len(self.columns) > 1 else float

    def label(self, cell: Any) -> list[float]:
        """The numbers of a cell; see `numbers_in`.

        Raises:
            ValueError: It holds something else than numbers.
        """
        return numbers_in(cell, self.columns)

    def collate(self, labels: Sequence[Sequence[float]]) -> Float[Tensor, "batch columns"]:
        """The standardised numbers; NaN where one is missing."""
        numbers = torch.tensor(labels, dtype=torch.float64)
        return ((numbers - numbers.new_tensor(self.means)) / numbers.new_tensor(self.deviations)).float()

    def example(self, batch: int) -> Float[Tensor, "batch columns"]:
        """The mean everywhere."""
        return torch.zeros(batch, len(self.means))

    def rows(
        self, outputs: Float[Tensor, "batch columns"], targets: Float[Tensor, "batch columns"]
    ) -> Mapping[str, Any]:
        """The `true` and the `predicted` numbers in their own unit, `(batch, columns)` each; NaN is missing."""
        return {"true": self._unscaled(targets), "predicted": self._unscaled(outputs)}

    def all_metrics(self) -> Mapping[str, Metric]:
        """The errors, the correlations and, where the numbers are sentiments, what that field tells."""
        further = SENTIMENT if self.sentiment else {}
        return {**self.metrics, "pearson": PEARSON, "spearman": SPEARMAN, **further}

    def _unscaled(self, numbers: Float[Tensor, "batch columns"]) -> Float64[Tensor, "batch columns"]:
        """Standardised numbers in their own unit, on the CPU in double precision, which not every device has."""
        double = numbers.detach().cpu().double()
        return double * double.new_tensor(self.deviations) + double.new_tensor(self.means)


def _entry(cell: Any, column: str) -> float:
    if not isinstance(cell, Mapping) or column not in cell:
        raise ValueError(f"{shown(cell)} lacks the column `{column}`")
    try:
        return _number(cell[column])
    except ValueError as error:
        raise ValueError(f"column `{column}`: {error}") from None


def _number(cell: Any) -> float:
    """The number in a cell, which may be written as a text; NaN where it is null."""
    if not isinstance(cell, str):
        return number(cell)
    try:
        written = float(cell)
    except ValueError:
        raise ValueError(f"{shown(cell)} is no number") from None
    return number(written)
