"""From a picture to what a vision network reads. Worker processes import this, and so it imports no transformers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn.functional import interpolate, pad

BICUBIC = 3
"""What Pillow calls it; 2 is bilinear, and what torch does not have (Lanczos) is bicubic here."""


@dataclass(frozen=True)
class Picture:
    """Resizes a picture, cuts its middle out, and standardises its colours.

    Args:
        size: Height and width of what comes out, in pixels.
        resize: What a picture is resized to before its middle is cut out, in pixels: the length of its shorter side, or
            its height and width, whatever they were to each other.
        mode: `bilinear` or `bicubic`.
        scale: What values are multiplied by: 1/255, or 1 where they are standardised already.
        mean: Mean of each channel, of values from 0 to 1. Empty where colours are left alone.
        deviation: Standard deviation of each channel.
    """

    size: tuple[int, int]
    resize: int | tuple[int, int]
    mode: str
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def __call__(self, picture: Shaped[Tensor, "channels _height _width"]) -> Float[Tensor, "channels height width"]:
        """The picture, uint8 or float32 from 0 to 255 or standardised already, as the network reads it."""
        picture = self._cut(self._resized(picture)).float() * self.scale
        if not self.mean:
            return picture
        mean, deviation = (torch.tensor(each).reshape(-1, 1, 1) for each in (self.mean, self.deviation))
        return (picture - mean) / deviation

    def _resized(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        size = self.resize
        if isinstance(size, int):
            short = min(height, width)
            size = (height * size // short, width * size // short)
        if size == (height, width):
            return picture
        return interpolate(picture.unsqueeze(0), size, mode=self.mode, antialias=True).squeeze(0)

    def _cut(self, picture: Tensor) -> Tensor:
        """The middle; zeros beside it where the picture is smaller."""
        (height, width), (rows, columns) = self.size, picture.shape[-2:]
        short = (max(0, height - rows), max(0, width - columns))
        if any(short):
            picture = pad(picture, (short[1] // 2, short[1] - short[1] // 2, short[0] // 2, short[0] - short[0] // 2))
        top, left = (picture.shape[-2] - height) // 2, (picture.shape[-1] - width) // 2
        return picture[..., top : top + height, left : left + width]


def picture_of(
    settings: Mapping[str, Any], size: tuple[int, int] | None, channels: int, standardized: bool
) -> tuple[Picture, dict[str, Any]]:
    """How pictures are prepared, and the same as a `preprocessor_config.json`.

    Args:
        settings: What such a file says, or an image processor's defaults.
        size: Height and width that the network wants, in pixels; None where it takes any, and the settings decide.
        channels: Channels of the picture; of others than three each gets the mean of the three colours' statistics.
        standardized: Whether the picture has mean 0 and deviation 1 already.
    """
    resize, trained = _sizes(settings)
    size = size or trained
    scale = min(size) / min(trained)
    resize = round(resize * scale) if isinstance(resize, int) else (round(resize[0] * scale), round(resize[1] * scale))
    mean, deviation = (_for_channels(settings.get(key), channels) for key in ("image_mean", "image_std"))
    colours = settings.get("do_normalize", True) and not standardized and mean and deviation
    mode = "bilinear" if settings.get("resample", BICUBIC) == 2 else "bicubic"
    factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
    brightness = 1.0 if standardized else factor
    picture = Picture(size, resize, mode, brightness, mean if colours else (), deviation if colours else ())
    stored = {
        "size": {"shortest_edge": resize} if isinstance(resize, int) else {"height": resize[0], "width": resize[1]},
        "do_center_crop": True,
        "crop_size": {"height": size[0], "width": size[1]},
        "resample": 2 if mode == "bilinear" else BICUBIC,
        "rescale_factor": factor,
        **{key: settings[key] for key in ("do_normalize", "image_mean", "image_std") if key in settings},
    }
    return picture, stored


def _sizes(settings: Mapping[str, Any]) -> tuple[int | tuple[int, int], tuple[int, int]]:
    """What pictures are resized to before their middle is cut out, and height and width of what comes out."""
    size = settings.get("size", 224)
    crop = settings.get("crop_size") if settings.get("do_center_crop") else None
    if isinstance(size, int):
        size = {"shortest_edge": size} if crop else {"height": size, "width": size}
    if "shortest_edge" not in size:
        longest = size.get("longest_edge", 224)
        exact = (size.get("height", longest), size.get("width", longest))
        return exact, exact if crop is None else _pair(crop)
    shortest: int = size["shortest_edge"]
    if crop is not None:
        return shortest, _pair(crop)
    if "crop_pct" in settings:  # ConvNeXt: small pictures are cut out of bigger ones
        square = (shortest, shortest)
        return square if shortest >= 384 else int(shortest / settings["crop_pct"]), square
    return shortest, (shortest, shortest)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size["height"], size["width"])


def _for_channels(statistics: Any, channels: int) -> tuple[float, ...]:
    if not statistics:
        return ()
    several = tuple(map(float, statistics)) if not isinstance(statistics, float | int) else (float(statistics),)
    return several if len(several) == channels else (sum(several) / len(several),) * channels
