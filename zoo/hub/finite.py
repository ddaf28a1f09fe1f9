"""Whether weights are numbers: NaN and infinities are told before anybody predicts with them."""

from collections.abc import Mapping
from typing import Any

from zoo.checkpoint.raw import Raw

PIECE = 1 << 22
"""Numbers that are looked at at once."""

_READ = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8", "BF16": "<u2"}
_READ |= dict.fromkeys(("F8_E5M2", "F8_E4M3", "F8_E5M2FNUZ", "F8_E4M3FNUZ", "F8_E8M0"), "<u1")
"""How numpy reads a type that has NaN or infinities."""

_WRONG = {"BF16": 0x7F80, "F8_E5M2": 0x7C, "F8_E4M3": 0x7F, "F8_E5M2FNUZ": 0x80, "F8_E4M3FNUZ": 0x80, "F8_E8M0": 0xFF}
"""Bits that all are 1 where a number is none; in the types that end in FNUZ, and in E8M0, the only ones that are."""


def nonfinite(tensors: Mapping[str, Raw]) -> str | None:
    """The first tensor that holds NaN or an infinity; None where all are numbers."""
    return next((name for name, each in tensors.items() if each.dtype in _READ and not _is_finite(each)), None)


def _is_finite(tensor: Raw) -> bool:
    import numpy as np  # here, because it takes longer than all else that a push of a wrong folder does

    numbers = np.frombuffer(tensor.data(), np.dtype(_READ[tensor.dtype]))
    pieces: list[Any] = [numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE)]
    if tensor.dtype in _WRONG:
        bits = _WRONG[tensor.dtype]
        mask = 0xFF if bits in (0x80, 0xFF) else bits
        return all(bool(((piece & mask) != bits).all()) for piece in pieces)
    return all(bool(np.isfinite(piece).all()) for piece in pieces)
