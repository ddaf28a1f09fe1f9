"""Sequences: time steps by features."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray
from torch import Tensor

from zoo.component import Modality
from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Sequence
from zoo_core.inputs.cells import shown
from zoo_core.inputs.numeric import Scale, moments, numbers, tensor


def build(options: Sequence, context: InputContext) -> "SequenceInput":
    """The input of sequences."""
    return SequenceInput(options, context.fitted)


def fit(options: Sequence, context: InputContext, cells: Iterable[Any]) -> dict[str, Any]:
    """Learns how many features there are, and their scale.

    Args:
        options: The input's options.
        context: Unused.
        cells: Cells of the training rows; None, a row without a sequence, is left out.

    Returns:
        `means` and `deviations` (population) of each feature, over all steps that are not cut off.

    Raises:
        ValueError: A cell is not what this input takes, or there is none.
    """
    return dict(moments(_chunks(cells, options.max_length)))


class SequenceInput(InputType):
    """Decodes sequences: standardised, and cut to the longest that is wanted. A missing reading becomes the mean."""

    def __init__(self, options: Sequence, fitted: Mapping[str, Any]) -> None:
        self.longest = options.max_length
        self.standardize = options.standardize
        self.scale = Scale(fitted)
        shape = (None, self.scale.width)
        self.value = ValueSpec(modality=Modality.SEQUENCE, shape=shape, max_length=self.longest)

    def decode(self, cell: Any, folder: Path) -> Float32[Tensor, "steps features"]:
        """The sequence of a cell.

        Args:
            cell: `(steps, features)` as nested lists or an array, or `(steps,)` of one feature; null and NaN are
                missing readings.
            folder: Unused.

        Raises:
            ValueError: It is empty, ragged or no numbers, has other features than the training rows, or nothing was
                learnt from training rows yet.
        """
        steps = _steps(cell, self.longest)
        self.scale.check(steps.shape[1], "features per step")
        steps = np.where(np.isnan(steps), self.scale.means, steps)
        return tensor(self.scale.standardized(steps) if self.standardize else steps)


def _chunks(cells: Iterable[Any], longest: int) -> Iterator[NDArray[np.float64]]:
    width = None
    for cell in cells:
        if cell is None:
            continue
        steps = _steps(cell, longest)
        width = width or steps.shape[1]
        if steps.shape[1] != width:
            raise ValueError(f"it has {steps.shape[1]} features per step, where the first row has {width}")
        yield steps


def _steps(cell: Any, longest: int) -> NDArray[np.float64]:
    """The first steps of a cell, `(steps, features)`, unscaled."""
    if isinstance(cell, (str, bytes, Mapping)) or not isinstance(cell, Sized):
        raise ValueError(f"{shown(cell)} is no sequence; expected a list of steps, each a list of numbers")
    first: Any = cell[:longest]  # type: ignore[index]  # lists and arrays
    try:
        steps = numbers(first)
    except ValueError:
        widths = sorted({len(step) if isinstance(step, Sized) else 1 for step in first})
        if len(widths) == 1:
            raise
        told = " and ".join(map(str, widths[:3]))
        raise ValueError(f"its steps have {told} features; expected the same number in each") from None
    if not steps.size:
        raise ValueError("it has no steps; leave the cell empty (null) where there is none")
    if steps.ndim > 2:
        raise ValueError(f"it is an array of {' x '.join(map(str, steps.shape))}; expected steps x features")
    return steps.reshape(len(steps), -1)
