"""Whether weights are numbers: NaN and infinities are told before anybody predicts with them."""

from collections.abc import Mapping
from typing import Any

from zoo.checkpoint.raw import Raw

PIECE = 1 << 22
"""Numbers that are looked at at once."""

_READ = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8", "BF16": "<u2"}
"""How numpy reads a type; what is not here has no infinities, or is too narrow to tell."""


def nonfinite(tensors: Mapping[str, Raw]) -> str | None:
    """The first tensor that holds NaN or an infinity; None where all are numbers."""
    return next((name for name, each in tensors.items() if each.dtype in _READ and not _is_finite(each)), None)


def _is_finite(tensor: Raw) -> bool:
    import numpy as np  # here, because it takes longer than all else that a push of a wrong folder does

    numbers = np.frombuffer(tensor.data(), np.dtype(_READ[tensor.dtype]))
    pieces: list[Any] = [numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE)]
    if tensor.dtype == "BF16":  # whose exponent is all ones where it is no number
        return all(bool(((piece & 0x7F80) != 0x7F80).all()) for piece in pieces)
    return all(bool(np.isfinite(piece).all()) for piece in pieces)
