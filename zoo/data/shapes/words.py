"""Captions of a scene, and questions about it with their answers."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

import numpy as np

from zoo.data.shapes.scene import COLOURS, HELD_OUT, KNOWN, SHAPES, Thing

T = TypeVar("T")
Asker: TypeAlias = Callable[[Sequence[Thing], bool, np.random.Generator], tuple[str, str] | None]


def captions(things: Sequence[Thing], random: np.random.Generator) -> list[str]:
    """Three sentences that each tell size, colour, shape and place of everything, in an order of their own."""
    told = [
        f"{opening}{_listed([_told(things[place], form) for place in random.permutation(len(things))])}."
        for opening, form in (("", 0), ("There is ", 0), ("The picture shows ", 1))
    ]
    return [sentence[0].upper() + sentence[1:] for sentence in told]


def question(things: Sequence[Thing], novel: bool, random: np.random.Generator) -> tuple[str, str]:
    """A question that the picture answers, and the answer: one word.

    Args:
        things: The scene.
        novel: Whether combinations that are held out may be asked for; in training they are not.
        random: Source of randomness.
    """
    askers: tuple[Asker, ...] = (_exists, _how_many, _which_colour, _which_shape)
    for place in random.permutation(len(askers)):
        if asked := askers[int(place)](things, novel, random):
            return asked
    return "How many shapes are there?", str(len(things))


def _told(thing: Thing, form: int) -> str:
    if form:
        return f"{thing.place} a {thing.name}"
    return f"a {thing.name} {thing.place}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _exists(things: Sequence[Thing], novel: bool, random: np.random.Generator) -> tuple[str, str] | None:
    """Whether there is something, as often yes as no."""
    there = {(thing.colour, thing.shape) for thing in things}
    known = [*KNOWN, *(sorted(HELD_OUT) if novel else ())]
    absent = [each for each in known if each not in there]
    yes = random.random() < 0.5
    colour, shape = _one(sorted(there) if yes else absent, random)
    return f"Is there a {colour} {shape}?", "yes" if yes else "no"


def _how_many(things: Sequence[Thing], novel: bool, random: np.random.Generator) -> tuple[str, str] | None:
    """How many there are of a shape, of a colour, or in all."""
    kind = int(random.integers(3))
    if kind == 0:
        return "How many shapes are there?", str(len(things))
    word = _one(SHAPES if kind == 1 else COLOURS, random)
    count = sum(word in (thing.shape, thing.colour) for thing in things)
    return f"How many {f'{word}{_ending(word)}' if kind == 1 else f'{word} shapes'} are there?", str(count)


def _which_colour(things: Sequence[Thing], novel: bool, random: np.random.Generator) -> tuple[str, str] | None:
    """The colour of the only one of its shape, if there is such a one."""
    only = list(_only([thing.shape for thing in things]))
    if not only:
        return None
    thing = things[_one(only, random)]
    return f"What colour is the {thing.shape}?", thing.colour


def _which_shape(things: Sequence[Thing], novel: bool, random: np.random.Generator) -> tuple[str, str] | None:
    """The shape that is somewhere."""
    thing = _one(things, random)
    return f"Which shape is {thing.place}?", thing.shape


def _only(words: Sequence[str]) -> Iterator[int]:
    """Places of the words that come once."""
    counts = Counter(words)
    return (place for place, word in enumerate(words) if counts[word] == 1)


def _one(choices: Sequence[T], random: np.random.Generator) -> T:
    return choices[int(random.integers(len(choices)))]


def _ending(word: str) -> str:
    return "es" if word.endswith("s") else "s"
