"""Pictures: files, bytes, PIL pictures and arrays become `(channels, height, width)`."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from torch import Tensor

from zoo.component import Modality
from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Image
from zoo_core.inputs.cells import cannot_be_read, check_file, file_identity, stored, without_torch

Pixels: TypeAlias = NDArray[Any]
"""`(height, width, channels)`."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_BOMBS = (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning)


def build(options: Image, context: InputContext) -> "ImageInput":
    """The input of pictures."""
    return ImageInput(options.channels)


class ImageInput(InputType):
    """Decodes pictures, as Pillow does.

    A picture stands upright (EXIF); of an animation the first frame counts. With 1, 3 or 4 channels, colours are turned
    into grey, RGB or RGBA; what is transparent becomes white where no opacity is asked for. Any other number of
    channels must be the picture's own. Pixels of 16 bits become float32 from 0 to 255, without loss. Colour profiles
    are not applied.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.value = ValueSpec(modality=Modality.IMAGE, shape=(channels, None, None))

    def check(self, cell: Any, folder: Path) -> None:
        """Looks whether the file is there that a cell names."""
        check_file(cell, folder, "a picture")

    def identity(self, cell: Any, folder: Path) -> bytes:
        """What tells the file of a cell from others."""
        known = file_identity(cell, folder)
        return super().identity(cell, folder) if known is None else known

    def decode(
        self, cell: Any, folder: Path
    ) -> UInt8[Tensor, "channels height width"] | Float32[Tensor, "channels height width"]:
        """The picture of a cell, as a view of `(height, width, channels)`, which spares a copy of the pixels.

        Args:
            cell: A file's path, its bytes or both as `{bytes, path}`; a PIL picture; or an array `(height, width)` or
                `(height, width, channels)` of uint8 or uint16.
            folder: Where relative paths start.

        Raises:
            ValueError: It is no picture, is damaged, has other channels, or is a decompression bomb (more than twice
                `PIL.Image.MAX_IMAGE_PIXELS`, 179 million pixels).
        """
        if isinstance(cell, (np.ndarray, Tensor)):
            pixels = np.array(without_torch(cell), order="C")
        else:
            picture = cell if isinstance(cell, Pillow.Image) else stored(cell, folder, "a picture")
            pixels = _pixels(_upright(_loaded(picture)), self.channels)
        return torch.from_numpy(_with_channels(pixels, self.channels)).permute(2, 0, 1)


def _loaded(source: Pillow.Image | BytesIO | Path) -> Pillow.Image:
    """A file's first frame, or a copy of a picture."""
    try:
        if isinstance(source, Pillow.Image):
            return source.copy()
        with Pillow.open(source) as picture:
            if picture.format != "EPS":
                picture.load()
    except _BOMBS as error:
        raise ValueError(f"the picture is too large: {error}") from None
    except UnidentifiedImageError:
        raise ValueError("the file is no picture of a format that Pillow reads") from None
    except Exception as error:  # a damaged file can trip a decoder over anything
        raise ValueError(cannot_be_read(error) or f"the picture is damaged: {error}") from error
    if picture.format == "EPS":  # a program, which Pillow would run with Ghostscript
        raise ValueError("the file is a PostScript program; expected a picture")
    return picture


def _upright(picture: Pillow.Image) -> Pillow.Image:
    """The picture itself, turned as its EXIF says; one that makes no sense says nothing."""
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _pixels(picture: Pillow.Image, channels: int) -> Pixels:
    """The picture's pixels, its colours turned into as many channels where they are 8 bits deep."""
    if picture.mode == "F":
        raise ValueError("the picture has float pixels, whose range is unknown; expected 8 or 16 bits per channel")
    if picture.mode.startswith("I"):
        deep = np.array(picture)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError(f"the picture has pixels up to {deep.max()}; expected 8 or 16 bits per channel")
        return deep.astype(np.uint16)
    if channels not in _MODES:
        return np.array(picture)
    mode = _MODES[channels]
    if picture.has_transparency_data and mode != "RGBA":
        picture = Pillow.alpha_composite(Pillow.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return np.array(picture if picture.mode == mode else picture.convert(mode))


def _with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Pixels `(height, width)` or with channels behind, as `(height, width, channels)` from 0 to 255."""
    if pixels.dtype.kind != "u" or pixels.itemsize > 2 or pixels.ndim not in (2, 3) or not pixels.size:
        shape = " x ".join(map(str, pixels.shape))
        expected = "expected uint8 or uint16, height x width or height x width x channels"
        raise ValueError(f"an array of {pixels.dtype}, {shape}, is no picture; {expected}")
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    own = pixels.shape[2]
    if pixels.dtype != np.uint8:
        pixels = pixels * np.float32(255 / 65535)
    if own == channels:
        return pixels
    if pixels.dtype == np.uint8 and own in _MODES and channels in _MODES:
        colours = _pixels(Pillow.fromarray(pixels if own > 1 else pixels[..., 0]), channels)
        return colours.reshape(*pixels.shape[:2], channels)
    if pixels.dtype != np.uint8 and own == 1 and channels in (3, 4):
        return np.concatenate([pixels, pixels, pixels, np.full_like(pixels, 255)], axis=2)[..., :channels]
    raise ValueError(f"the picture has {own} channels; this input takes {channels} (its option `channels`)")
