"""Whether weights are numbers: NaN and infinities are told before anybody predicts with them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.checkpoint.raw import Raw

PIECE = 1 << 22
"""Numbers that are looked at at once."""

_READ: dict[str, str] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8"}


def nonfinite(tensors: Mapping[str, Raw]) -> str | None:
    """The first tensor that holds NaN or an infinity; None where all are numbers."""
    return next((name for name, each in tensors.items() if not _is_finite(each)), None)


def _is_finite(tensor: Raw) -> bool:
    if tensor.dtype == "BF16":  # its exponent is all ones
        numbers = np.frombuffer(tensor.data(), "<u2")
        return all(bool(((part & 0x7F80) != 0x7F80).all()) for part in _pieces(numbers))
    if tensor.dtype not in _READ:
        return True
    return all(
        bool(np.isfinite(part).all()) for part in _pieces(np.frombuffer(tensor.data(), np.dtype(_READ[tensor.dtype])))
    )


def _pieces(numbers: NDArray[Any]) -> list[NDArray[Any]]:
    return [numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE)]
