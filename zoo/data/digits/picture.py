"""The digit as a handwritten picture, more or less readable."""

from io import BytesIO

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

SIDE = 32
"""Side of a picture, in pixels."""

COVERED = 0.3
"""Share of the pictures that are partly covered."""


def picture(strokes: Float[np.ndarray, "8 8"], useless: bool, random: np.random.Generator) -> bytes:
    """A PNG of a digit: enlarged, moved by up to two pixels, now and then partly covered, paler and with noise.

    Args:
        strokes: The digit, ink from 0 to 16.
        useless: Whether hardly any ink is left, so that nobody can read it.
        random: Source of randomness.
    """
    large = Image.fromarray((strokes * 255 / 16).astype(np.uint8)).resize(
        (SIDE - 4, SIDE - 4), Image.Resampling.BICUBIC
    )
    ink = np.zeros((SIDE, SIDE))
    top, left = random.integers(0, 5, size=2)
    ink[top : top + SIDE - 4, left : left + SIDE - 4] = np.asarray(large) / 255
    if random.random() < COVERED:
        _cover(ink, random)
    contrast = random.uniform(0, 0.02) if useless else random.uniform(0.6, 1)
    noise = random.normal(0, random.uniform(0.02, 0.12), ink.shape)
    return _png(np.clip(0.5 + contrast * (ink - 0.5) + noise, 0, 1))


def _cover(ink: Float[np.ndarray, "side side"], random: np.random.Generator) -> None:
    """Puts a rectangle of one grey somewhere."""
    height, width = random.integers(4, 11, size=2)
    top, left = random.integers(0, SIDE - height), random.integers(0, SIDE - width)
    ink[top : top + height, left : left + width] = random.uniform(0, 1)


def _png(pixels: Float[np.ndarray, "side side"]) -> bytes:
    file = BytesIO()
    grey: UInt8[np.ndarray, "side side"] = np.round(pixels * 255).astype(np.uint8)
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()
