"""What is in a picture: shapes of a colour and a size, in cells of a grid."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "green", "blue", "yellow")
SIZES = {"small": (10, 13), "large": (17, 20)}
"""Side of the box about a shape, in pixels: smallest and largest."""

CELL = 24
"""Side of a cell of the grid, in pixels."""
GRID = 3
"""Cells in a row, and rows of cells."""
SIDE = GRID * CELL
"""Side of a picture, in pixels."""
MARGIN = 2
"""Pixels by which the box of the largest shape is wider than any other."""
MOST = 4
"""Shapes in a picture; one at least."""

Combination: TypeAlias = tuple[str, str]
"""A colour and a shape."""

HELD_OUT: frozenset[Combination] = frozenset(
    [("red", "cross"), ("green", "triangle"), ("blue", "circle"), ("yellow", "square")]
)
"""Combinations that stand in the test split alone; each colour and each shape is seen in others."""

KNOWN: tuple[Combination, ...] = tuple(
    (colour, shape) for colour in COLOURS for shape in SHAPES if (colour, shape) not in HELD_OUT
)


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape in a picture.

    Args:
        shape: One of `SHAPES`.
        colour: One of `COLOURS`.
        size: `small` or `large`.
        row: Of its cell, from the top.
        column: Of its cell, from the left.
        box: Left, top, width and height, in pixels.
    """

    shape: str
    colour: str
    size: str
    row: int
    column: int
    box: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        """What it is: `small red circle`."""
        return f"{self.size} {self.colour} {self.shape}"

    @property
    def place(self) -> str:
        """Where it is: `at the top left`, `in the middle`."""
        row, column = ("top", "", "bottom")[self.row], ("left", "", "right")[self.column]
        if not row and not column:
            return "in the middle"
        return f"at the {row} {column}".strip().replace("  ", " ") if row else f"on the {column}"


def scene(random: np.random.Generator, novel: bool) -> tuple[Thing, ...]:
    """One to four things in different cells, one of them larger than all others.

    Args:
        random: Source of randomness.
        novel: Whether the first of them is of a combination that is held out; all others never are.
    """
    count = int(random.integers(1, MOST + 1))
    cells = random.choice(GRID * GRID, count, replace=False).tolist()
    chosen = [KNOWN[int(random.integers(len(KNOWN)))] for _ in cells]
    if novel:
        held = sorted(HELD_OUT)
        chosen[0] = held[int(random.integers(len(held)))]
    while True:
        things = tuple(_thing(cell, *combination, random) for cell, combination in zip(cells, chosen, strict=True))
        first, *others = sorted((thing.box[2] for thing in things), reverse=True)
        if not others or first >= others[0] + MARGIN:
            return things


def _thing(cell: int, colour: str, shape: str, random: np.random.Generator) -> Thing:
    size = ("small", "large")[int(random.integers(2))]
    low, high = SIZES[size]
    side = int(random.integers(low, high + 1))
    row, column = divmod(cell, GRID)
    down, across = random.integers(1, CELL - side, size=2).tolist()
    return Thing(shape, colour, size, row, column, (column * CELL + across, row * CELL + down, side, side))


def combinations(things: Collection[Thing]) -> set[Combination]:
    """The colours and shapes that stand together in things."""
    return {(thing.colour, thing.shape) for thing in things}
