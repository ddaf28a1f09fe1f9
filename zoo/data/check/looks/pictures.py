"""Pictures."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look, digest_of, file_of

ORIENTATION = 0x0112
LARGE = 64
"""Pixels of a side beyond which a picture is made smaller once before everything else."""


def look_at_picture(value: Tensor, cell: Any, folder: Path, spec: ValueSpec) -> Look:
    """What is seen of a picture `(channels, height, width)`, and of the file that it comes from."""
    pixels = value.permute(1, 2, 0).numpy()
    height, width, _ = pixels.shape
    digest = digest_of(repr(pixels.shape).encode(), np.ascontiguousarray(pixels).tobytes())
    grey = _grey(pixels)
    traits = [*_traits(cell, folder), *_content(pixels)]
    colours = pixels.reshape(-1, pixels.shape[2])
    small = np.asarray(grey.resize((14, 14))).ravel()
    features = np.concatenate([small, colours.mean(0), colours.std(0)]).astype(np.float32)
    sizes = {"width": float(width), "height": float(height)}
    return Look(digest, sizes, False, tuple(traits), _sketch(grey), features)


def _grey(pixels: NDArray[Any]) -> Any:
    """The picture in grey, no larger than it need be."""
    from PIL import Image

    eight = pixels if pixels.dtype == np.uint8 else pixels.clip(0, 255).astype(np.uint8)
    if eight.shape[2] in (3, 4):
        grey = Image.fromarray(np.ascontiguousarray(eight[..., :3])).convert("L")
    else:
        grey = Image.fromarray(
            np.ascontiguousarray(eight[..., 0] if eight.shape[2] == 1 else eight.mean(2, dtype=float).astype(np.uint8))
        )
    small = min(grey.width, LARGE), min(grey.height, LARGE)
    return grey if small == grey.size else grey.resize(small, Image.Resampling.BOX)


def _sketch(grey: Any) -> NDArray[np.uint8]:
    """`(160,)`: 128 bits of differences (dHash, Krawetz 2013), then 12 x 12 grey values.

    A bit tells whether one of 8 x 8 fields is darker than its neighbour to the right, or below.
    """
    rows = np.asarray(grey.resize((9, 8)), np.int16)
    columns = np.asarray(grey.resize((8, 9)), np.int16)
    bits = np.concatenate([(rows[:, 1:] > rows[:, :-1]).ravel(), (columns[1:] > columns[:-1]).ravel()])
    return np.concatenate([np.packbits(bits), np.asarray(grey.resize((12, 12)), np.uint8).ravel()])


def _content(pixels: NDArray[Any]) -> list[str]:
    if min(pixels.shape[:2]) == 1:
        return ["one pixel wide or high"]
    return ["one colour everywhere"] if (pixels == pixels[0, 0]).all() else []


def _traits(cell: Any, folder: Path) -> list[str]:
    """What is unusual about the file, from its header."""
    from PIL import Image

    source = file_of(cell, folder)
    if source is None:
        return []
    found = []
    with suppress(Exception), Image.open(source) as picture:  # it was decoded already: this is for information
        if getattr(picture, "is_animated", False):
            found.append("Animated: its first frame counts")
        if picture.mode == "CMYK":
            found.append("CMYK")
        if picture.mode.startswith("I"):
            found.append("16 bits per channel")
        if picture.has_transparency_data:
            found.append("Transparent: white shows through")
        if picture.getexif().get(ORIENTATION, 1) != 1:
            found.append("Turned upright by EXIF")
        suffix = source.suffix.lower() if isinstance(source, Path) else ""
        if (
            suffix
            and suffix in Image.registered_extensions()
            and Image.registered_extensions()[suffix] != picture.format
        ):
            found.append(f"A {picture.format} file called {suffix}")
    return found
