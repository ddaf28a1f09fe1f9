"""What labels may tell that an augmentation would change, so that presets leave it out.

A preset is taken by people who did not think about each of its parts; it must never make labels wrong. So it changes
what labels may tell (`zoo.component.ALTERS`) only where class names show that they do not tell it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from zoo.component import Modality
from zoo.contract import Head
from zoo.spec.sections import Spec

SIDES = frozenset(
    """
    left right leftward rightward leftwards rightwards lefthand righthand clockwise counterclockwise anticlockwise east
    west forward backward links rechts gauche droite izquierda izquierdo derecha derecho sinistra destra esquerda
    direita
    """.split()  # noqa: SIM905  # thirty words are read more easily than thirty quoted ones
)
"""Words for directions, which a mirror image turns round."""
NUMBERS = frozenset(
    """
    zero one two three four five six seven eight nine ten eleven twelve single double pair none few several many empty
    """.split()  # noqa: SIM905
)
"""Words for how many there are."""
COLOURS = frozenset(
    """
    red green blue yellow orange purple violet pink brown black white grey gray cyan magenta turquoise golden gold
    silver beige ripe unripe dark bright pale light colour color
    """.split()  # noqa: SIM905
)
"""Words for colours, and for what is told by them."""


class Learning(Protocol):
    """What of a model learns."""

    spec: Spec

    def head(self, name: str) -> Head:
        """The head of this name."""


def told_by_labels(model: Learning, name: str) -> dict[str, str]:
    """What the labels of a model may tell of an input, each with the reason to think so.

    Args:
        model: The model.
        name: The input.
    """
    told: dict[str, str] = {}
    for head, section in model.spec.heads.items():
        provides = section.registered.component.provides
        if "unlabelled" in provides:
            continue
        if "whole" not in provides:
            reason = f"labels of the head `{head}` may tell where something is"
            told |= dict.fromkeys(("places", "sides", "amounts"), reason)
        classes = model.head(head).classes
        if not classes:
            told = dict.fromkeys(("sides", "amounts"), f"labels of the head `{head}` are no names of classes") | told
        for alters, each in _named(classes):
            told.setdefault(alters, f"the head `{head}` has the class `{each}`")
    for other, part in model.spec.inputs.items():
        if other != name and Modality.TEXT in part.registered.component.modality:
            told = {"sides": f"the text of `{other}` may tell left from right"} | told
    return told


def _named(classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What names of classes show that they tell, with the first such name."""
    for name in classes:
        words = set(re.findall(r"[^\W\d_]+", name.lower()))
        if words & SIDES or len(name) == 1 or name.strip().isdecimal():
            yield "sides", name  # digits and letters are others in the mirror
        if words & NUMBERS or re.search(r"\d", name):
            yield "amounts", name
            yield "sides", name
        if words & COLOURS:
            yield "colours", name
