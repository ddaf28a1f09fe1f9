"""A scene as a picture."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from zoo.data.shapes.scene import SIDE, Thing

RGB = {"red": (214, 48, 49), "green": (39, 154, 76), "blue": (52, 101, 214), "yellow": (240, 200, 40)}


def picture(things: Sequence[Thing], random: np.random.Generator) -> bytes:
    """A PNG of 72 x 72 pixels: the things, each a little lighter or darker, on a grey of its own.

    Args:
        things: The scene.
        random: Source of randomness.
    """
    grey = int(random.integers(225, 256))
    image = Image.new("RGB", (SIDE, SIDE), (grey, grey, grey))
    draw = ImageDraw.Draw(image)
    for thing in things:
        shade = random.uniform(0.85, 1.0)
        _draw(draw, thing, tuple(round(shade * channel) for channel in RGB[thing.colour]))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _draw(draw: ImageDraw.ImageDraw, thing: Thing, colour: tuple[int, ...]) -> None:
    """The thing, which touches all four sides of its box; Pillow counts the last pixel in."""
    left, top, width, height = thing.box
    right, bottom, third = left + width - 1, top + height - 1, width // 3
    match thing.shape:
        case "circle":
            draw.ellipse((left, top, right, bottom), fill=colour)
        case "square":
            draw.rectangle((left, top, right, bottom), fill=colour)
        case "triangle":
            draw.polygon([((left + right) // 2, top), (left, bottom), (right, bottom)], fill=colour)
        case _:
            draw.rectangle((left + third, top, right - third, bottom), fill=colour)
            draw.rectangle((left, top + third, right, bottom - third), fill=colour)
