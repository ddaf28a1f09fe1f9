"""`preprocessing.json` of a run: what its parts learnt from the training rows, read without trust."""

import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.checkpoint.verify import read_json
from zoo.errors import CorruptError

KINDS = ("inputs", "backbones", "heads")
"""Kinds of parts that learn."""

_SHOWN = 80
"""Characters of a key that are told."""


def read_learnt(path: Path, names: Mapping[str, Collection[str]] | None = None) -> dict[str, dict[str, Any]]:
    """What parts learnt, by kind and name; whether it is what they need, they tell themselves.

    Args:
        path: The file.
        names: By kind, the parts that there are; whatever is told unless given.

    Raises:
        CorruptError: It is damaged, tells of something else than parts, or holds a number that no float can hold.
    """
    told = read_json(path)
    for kind, parts in told.items():
        if kind not in KINDS:
            raise CorruptError(f"`{path}`: there are no {kind[:_SHOWN]!r} that learn, but {', '.join(KINDS)}")
        if not isinstance(parts, dict):
            raise CorruptError(f"`{path}`: `{kind}` is no mapping of parts to what they learnt")
        for name, learnt in parts.items():
            if names is not None and name not in names[kind]:
                raise CorruptError(f"`{path}`: `{kind}.{name[:_SHOWN]}` is no part of zoo.yaml")
            if not isinstance(learnt, dict):
                raise CorruptError(f"`{path}`: `{kind}.{name[:_SHOWN]}` is no mapping of what was learnt")
    for place, number in _numbers(told):
        if not -sys.float_info.max <= number <= sys.float_info.max:  # nor is a NaN
            raise CorruptError(f"`{path}`: `{place}` holds {str(number)[:20]}, which is no number that a float can be")
    return told


def _numbers(told: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """All numbers, however deep they stand, each with the keys that lead to it."""
    left: list[tuple[str, Any]] = [(kind, parts) for kind, parts in told.items()]
    while left:
        place, value = left.pop()
        if isinstance(value, dict):
            left += ((f"{place}.{key}"[:_SHOWN], each) for key, each in value.items())
        elif isinstance(value, list):
            left += ((place, each) for each in value)
        elif isinstance(value, (int, float)):
            yield place, value
