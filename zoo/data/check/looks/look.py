"""What is seen in a value."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen in a value.

    Args:
        digest: Of its content: equal values have the same. Never 0.
        measures: Lengths and sizes: `words`, `seconds`, `steps`, `width`.
        beyond: Whether it is longer than its input takes, so that its end is cut off.
        traits: What is unusual: `CMYK`, `turned by EXIF`, `silent`; those that begin with a capital or a digit are
            handled, the others worth a look.
        sketch: Bits and bytes by which near duplicates are found; None of a modality without.
        features: What a quick model reads: numbers, or a text; None where it reads nothing.
    """

    digest: int
    measures: Mapping[str, float] = field(default_factory=dict)
    beyond: bool = False
    traits: tuple[str, ...] = ()
    sketch: NDArray[np.uint8] | None = None
    features: NDArray[np.float32] | str | None = None


def digest_of(*parts: bytes) -> int:
    """64 bits of BLAKE2 over some content; never 0, which stands for nothing."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return int.from_bytes(digest.digest()) or 1


def file_of(cell: Any, folder: Path) -> BytesIO | Path | None:
    """The file that a cell holds or names; None where it holds decoded values."""
    found = cell
    if isinstance(cell, Mapping):
        found = cell.get("path") if cell.get("bytes") is None else cell["bytes"]
    if isinstance(found, (bytes, bytearray, memoryview)):
        return BytesIO(found)
    return folder / found if isinstance(found, (str, PathLike)) else None
