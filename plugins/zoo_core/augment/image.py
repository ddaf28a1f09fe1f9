"""Augmentations of pictures: uint8 or float32 from 0 to 255. torchvision is imported by those alone that need it."""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from zoo import AugmentContext, UsageError
from zoo_core.declarations.augment import Colour, Crop, Erase, Flip, RandAugment, Rotate, TrivialAugment

Picture = Shaped[Tensor, "channels height width"]


class Cropped:
    """A random part of a picture, with its own number of pixels; at the picture's size where the input has one size."""

    def __init__(self, options: Crop, context: AugmentContext) -> None:
        self.area, self.aspect = options.area, options.aspect
        self.resized = None not in context.value.shape

    def __call__(self, value: Picture) -> Shaped[Tensor, "channels rows columns"]:
        """The part."""
        top, left, rows, columns = _box(value, self.area, 1.0, self.aspect)
        part = value[:, top : top + rows, left : left + columns]
        if not self.resized:
            return part
        from torchvision.transforms.v2.functional import resize

        whole: Tensor = resize(part, list(value.shape[1:]), antialias=True)
        return whole


class Flipped:
    """A picture, or its mirror image."""

    def __init__(self, options: Flip, context: AugmentContext) -> None:
        self.horizontal, self.vertical = options.horizontal, options.vertical

    def __call__(self, value: Picture) -> Picture:
        """The picture, mirrored or not."""
        across, down = torch.rand(2).tolist()
        sides = [side for side, mirrored in ((-1, across < self.horizontal), (-2, down < self.vertical)) if mirrored]
        return value.flip(sides)


class Rotated:
    """A picture turned about its middle."""

    def __init__(self, options: Rotate, context: AugmentContext) -> None:
        self.degrees = options.degrees

    def __call__(self, value: Picture) -> Picture:
        """The picture, turned by a random angle."""
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import rotate

        angle = self.degrees * (2 * torch.rand(()).item() - 1)
        turned: Tensor = rotate(value, angle, InterpolationMode.BILINEAR, fill=_mean(value).tolist())
        return turned


class Coloured:
    """A picture in other colours; opacity stays.

    Raises:
        UsageError: The input's channels are no colours.
    """

    def __init__(self, options: Colour, context: AugmentContext) -> None:
        from torchvision.transforms.v2 import ColorJitter

        _check_channels("colour", context, (1, 3, 4))
        self.jitter = ColorJitter(options.brightness, options.contrast, options.saturation, options.hue)

    def __call__(self, value: Picture) -> Picture:
        """The picture in other colours."""
        colours = _in_units(self.jitter, value[:3])
        return colours if len(value) <= 3 else torch.cat([colours, value[3:]])


class RandAugmented:
    """A picture after operations of one strength.

    Raises:
        UsageError: The input's pictures are neither grey nor RGB.
    """

    def __init__(self, options: RandAugment, context: AugmentContext) -> None:
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2 import RandAugment as Transform

        _check_channels("randaugment", context, (1, 3))
        self.transform = Transform(options.operations, options.magnitude, interpolation=InterpolationMode.BILINEAR)

    def __call__(self, value: Picture) -> Picture:
        """The picture after them."""
        return _in_units(self.transform, value)


class TrivialAugmented:
    """A picture after one operation of random strength.

    Raises:
        UsageError: The input's pictures are neither grey nor RGB.
    """

    def __init__(self, options: TrivialAugment, context: AugmentContext) -> None:
        from torchvision.transforms.v2 import InterpolationMode, TrivialAugmentWide

        _check_channels("trivialaugment", context, (1, 3))
        self.transform = TrivialAugmentWide(interpolation=InterpolationMode.BILINEAR)

    def __call__(self, value: Picture) -> Picture:
        """The picture after it."""
        return _in_units(self.transform, value)


class Erased:
    """A picture in which a rectangle may be erased, of 2 % of its area at least and at most three times as long."""

    def __init__(self, options: Erase, context: AugmentContext) -> None:
        self.probability, self.area = options.probability, options.area

    def __call__(self, value: Picture) -> Picture:
        """The picture, or a copy with a rectangle of its mean colour."""
        if torch.rand(()).item() >= self.probability:
            return value
        top, left, rows, columns = _box(value, min(0.02, self.area), self.area, 3.0)
        erased = value.clone()
        erased[:, top : top + rows, left : left + columns] = _mean(value).to(value.dtype)[:, None, None]
        return erased


def _box(picture: Picture, least: float, most: float, aspect: float) -> tuple[int, int, int, int]:
    """Top, left, rows and columns of a random rectangle.

    Args:
        picture: In which it lies.
        least: Smallest share of the picture's area.
        most: Largest.
        aspect: Largest factor between its aspect ratio and the picture's.
    """
    height, width = picture.shape[-2:]
    chosen, stretched, down, across = torch.rand(4).tolist()
    share, stretch = least + (most - least) * chosen, math.exp(math.log(aspect) * (2 * stretched - 1))
    rows = min(height, max(1, round(height * math.sqrt(share * stretch))))
    columns = min(width, max(1, round(width * math.sqrt(share / stretch))))
    return int(down * (height - rows + 1)), int(across * (width - columns + 1)), rows, columns


def _in_units(change: Callable[[Tensor], Any], picture: Picture) -> Picture:
    """The picture changed; one of floats is changed as torchvision knows them, from 0 to 1."""
    if picture.is_floating_point():
        changed: Tensor = change(picture / 255)
        return (changed * 255).clamp(0, 255)
    changed = change(picture)
    return changed


def _mean(picture: Picture) -> Shaped[Tensor, "channels"]:
    """Mean of each channel."""
    return picture.mean((1, 2), dtype=torch.float32)


def _check_channels(name: str, context: AugmentContext, known: tuple[int, ...]) -> None:
    channels = context.value.shape[0] if context.value.shape else None
    if channels not in known:
        words = {1: "grey", 3: "RGB", 4: "RGBA"}
        listed = ", ".join(words[each] for each in known)
        raise UsageError(f"`{name}` knows {listed} pictures; those of the input have {channels} channels: leave it out")
