"""From a decoded picture to what a network reads. Worker processes import this, and so it imports no timm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float32, Shaped
from torch import Tensor
from torch.nn.functional import interpolate

Fit: TypeAlias = Literal["center", "squash", "border"]


@dataclass(frozen=True)
class Preparation:
    """Resizes a picture, cuts out its middle, and standardises its colours, as timm does in evaluation.

    Args:
        size: Height and width of what comes out, in pixels.
        resized: Height and width that the picture is resized to before its middle is cut out.
        fit: Pictures of another shape: `center` covers `resized` and loses what stands out, `squash` gives up the
            aspect ratio, `border` fits into `resized` and fills the rest with the mean colour. Where `resized` is
            smaller than `size`, as for some VOLOs, the others fill the rest with black.
        mode: `bilinear` or `bicubic`, both with antialiasing, or `nearest-exact`.
        mean: Mean of each channel from 0 to 255; empty for pictures that are standardised already.
        deviation: Standard deviation of each channel from 0 to 255.
    """

    size: tuple[int, int]
    resized: tuple[int, int]
    fit: Fit = "squash"
    mode: str = "bicubic"
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    def __call__(
        self, picture: Shaped[Tensor, "channels _height _width"]
    ) -> Float32[Tensor, "channels _rows _columns"]:
        """The picture, uint8 or float32 from 0 to 255 or standardised already, as the network reads it."""
        cut = self._cut(self._resize(picture))
        prepared = self._filled(cut.to(torch.float32, memory_format=torch.contiguous_format, copy=True))
        if self.mean:
            mean, deviation = (torch.tensor(each).reshape(-1, 1, 1) for each in (self.mean, self.deviation))
            prepared.sub_(mean).div_(deviation)
        return prepared

    def _resize(self, picture: Tensor) -> Tensor:
        size = self._target(picture.shape[-2], picture.shape[-1])
        if size == picture.shape[-2:]:
            return picture
        antialias = self.mode != "nearest-exact"
        return interpolate(picture.unsqueeze(0), size, mode=self.mode, antialias=antialias).squeeze(0)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        """What the whole picture is resized to."""
        rows, columns = self.resized
        if self.fit == "squash":
            return rows, columns
        if self.fit == "center" and rows == columns:  # torchvision's own resizing, which rounds down
            short = min(height, width)
            return height * rows // short, width * rows // short
        shrunk = (min if self.fit == "center" else max)(height / rows, width / columns)
        return max(1, round(height / shrunk)), max(1, round(width / shrunk))

    def _cut(self, picture: Tensor) -> Tensor:
        """The middle, of at most the wanted size."""
        (height, width), (rows, columns) = picture.shape[-2:], self.size
        top, left = round(max(0, height - rows) / 2), round(max(0, width - columns) / 2)
        return picture[:, top : top + rows, left : left + columns]

    def _filled(self, picture: Tensor) -> Tensor:
        """The picture with one colour around it where it is smaller than wanted."""
        height, width = picture.shape[-2:]
        if (height, width) == self.size:
            return picture
        colour = [round(each) if self.fit == "border" else 0 for each in self.mean]
        filled = torch.tensor(colour, dtype=torch.float32).reshape(-1, 1, 1).repeat(1, *self.size)
        top, left = (self.size[0] - height) // 2, (self.size[1] - width) // 2
        filled[:, top : top + height, left : left + width] = picture
        return filled


def preparation(pretrained: Mapping[str, Any], size: tuple[int, int], channels: int, standardized: bool) -> Preparation:
    """How pictures are prepared for weights.

    Args:
        pretrained: timm's `pretrained_cfg` of the weights.
        size: Height and width that the network reads, in pixels.
        channels: Channels of the pictures.
        standardized: Whether they have mean 0 and deviation 1 already, as spectrograms do: then the whole picture is
            resized, nothing is cut off, and colours are left alone.
    """
    mode = {"bilinear": "bilinear", "nearest": "nearest-exact"}.get(pretrained["interpolation"], "bicubic")
    if standardized:
        return Preparation(size, size, "squash", mode)
    crop = pretrained["crop_pct"]
    resized = math.floor(size[0] / crop), math.floor(size[1] / crop)
    mean, deviation = (tuple(255 * each for each in for_channels(pretrained[key], channels)) for key in ("mean", "std"))
    return Preparation(size, resized, pretrained["crop_mode"], mode, mean, deviation)


def for_channels(statistics: Sequence[float], channels: int) -> tuple[float, ...]:
    """Mean or deviation of colours as those of another number of channels.

    One channel, grey, gets their mean; more get them over and over, as the first convolution gets its filters.
    """
    if channels == 1:
        return (sum(statistics) / len(statistics),)
    return tuple(statistics[channel % len(statistics)] for channel in range(channels))
