"""What a column of a table probably is, from its first cells."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from itertools import pairwise
from typing import Any

from zoo.spec.names import BOXES, IDENTIFIERS, PLACES, TEXTS, is_called, words_of


class Guess(StrEnum):
    """What a column can be."""

    IMAGE = "image"
    AUDIO = "audio"
    TEXT = "text"
    NUMBER = "number"
    CATEGORY = "category"
    LABELS = "labels"
    VECTOR = "vector"
    SEQUENCE = "sequence"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Guessed:
    """A guess.

    Args:
        kind: What the column probably is; `NOTHING` if it tells a model nothing.
        why: What it was told by.
    """

    kind: Guess
    why: str


FILES = {
    Guess.IMAGE: r".*\.(png|jpe?g|webp|gif|bmp|tiff?|p[bgpn]m)",
    Guess.AUDIO: r".*\.(wav|flac|ogg|opus|mp3|aiff?|au)",
}
"""Names of files with pictures and sounds."""

MAGIC = {
    Guess.IMAGE: rb"\x89PNG|\xff\xd8\xff|GIF8|BM|II\*\0|MM\0\*|RIFF....WEBP",
    Guess.AUDIO: rb"RIFF....WAVE|fLaC|OggS|ID3|\xff[\xe2-\xfb]|FORM....AIF|\.snd",
}
"""Beginnings of such files."""

NAMES = {Guess.IMAGE: "pictures", Guess.AUDIO: "sounds"}
DATE = r"\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d.*)?|\d\d?[./]\d\d?[./]\d{2,4}|\d\d?:\d\d(:\d\d)?"
IDENTIFIER = r"(?i:(.*[^a-z])?(id|uuid|key|index|number|no))|.*[a-z](Id|ID)"
FEW = 100
"""Most different values that are taken for categories."""

MANY = 1000
"""Most that are, if each is there twenty times on average."""

SENTENCE = 4.0
"""Words on average from which a text is read as one, however often it comes again: questions may be few."""


def guess(name: str, cells: Sequence[Any]) -> Guessed:
    """Guesses what a column is.

    Args:
        name: Its name.
        cells: Its first cells, without nulls; the more, the better texts are told from categories.
    """
    kinds = {_kind(cell) for cell in cells}
    if len(kinds) != 1:
        return Guessed(Guess.NOTHING, "its cells are of different types" if kinds else "it is empty")
    (kind,) = kinds
    if kind is Mapping:
        return _of_mappings(name, cells)
    if kind is bytes:
        return _of_bytes(cells)
    if kind is list:
        return _of_lists(name, cells)
    if kind is date:
        return Guessed(Guess.NOTHING, "dates: turn them into numbers, such as a month or an age")
    if len(set(cells)) == 1:
        return Guessed(Guess.NOTHING, "all its cells are the same")
    if kind is bool:
        return Guessed(Guess.CATEGORY, "true or false")
    if kind is float:
        return _of_numbers(name, cells)
    return _of_texts(name, cells) if kind is str else Guessed(Guess.NOTHING, f"cells of type {type(cells[0]).__name__}")


def _kind(cell: Any) -> type:
    """A cell's type, those that mean the same as one."""
    alike = ((bool, bool), (float, (int, float)), (bytes, bytes), (str, str), (list, list), (Mapping, Mapping))
    for kind, types in (*alike, (date, (date, time))):
        if isinstance(cell, types):
            return kind
    return type(cell)


def _of_mappings(name: str, cells: Sequence[Mapping[str, Any]]) -> Guessed:
    """Files as Hugging Face keeps them, `{bytes, path}`."""
    if any(is_called(key, BOXES) for key in cells[0]):
        return Guessed(Guess.NOTHING, "boxes, which are labels and no input")
    files = [cell.get("bytes") or cell.get("path") for cell in cells]
    if not all(files):
        return Guessed(Guess.NOTHING, "mappings: no input reads them")
    return guess(name, files)


def _of_bytes(cells: Sequence[bytes]) -> Guessed:
    for kind, magic in MAGIC.items():
        if all(re.match(magic, cell, re.DOTALL) for cell in cells):
            return Guessed(kind, f"{NAMES[kind]} inside the table")
    return Guessed(Guess.NOTHING, "bytes that are neither pictures nor sounds")


def _of_lists(name: str, cells: Sequence[list[Any]]) -> Guessed:
    items = [each for cell in cells for each in cell]
    kinds = set(map(_kind, items))
    if kinds in ({str}, {bytes}, {Mapping}):
        inner = guess(name, items)
        if inner.kind in NAMES:
            told = f"several {NAMES[inner.kind]} in one cell, which no input reads yet: give each a column of its own"
            return Guessed(Guess.NOTHING, told)
    if kinds == {str}:
        return Guessed(Guess.LABELS, "lists of texts")
    if kinds == {list} and is_called(name, BOXES) and all(len(each) == 4 for each in items):
        return Guessed(Guess.NOTHING, "boxes, which are labels and no input")
    if kinds == {list} and {_kind(each) for cell in cells for step in cell for each in step} == {float}:
        return Guessed(Guess.SEQUENCE, "steps, each a list of numbers")
    if kinds == {float}:
        lengths = {len(cell) for cell in cells}
        told = f"lists of {max(lengths)} numbers" if len(lengths) == 1 else "lists of numbers of different lengths"
        return Guessed(Guess.VECTOR if len(lengths) == 1 else Guess.SEQUENCE, told)
    return Guessed(Guess.NOTHING, "lists of something else than numbers")


def _of_numbers(name: str, cells: Sequence[float]) -> Guessed:
    whole = all(float(cell).is_integer() for cell in cells)
    if whole and len(cells) > 2 and len({after - before for before, after in pairwise(cells)}) == 1:
        return Guessed(Guess.NOTHING, "it numbers the rows")
    different = len(set(cells))
    if whole and different == len(cells) and re.fullmatch(IDENTIFIER, name):
        return Guessed(Guess.NOTHING, "an identifier: every row has another")
    if whole and different > 20 and words_of(name)[-1:] and words_of(name)[-1] in IDENTIFIERS:
        return Guessed(Guess.NOTHING, f"an identifier, by its name: {different} different numbers")
    if whole and different > 5 and words_of(name)[-1:] and words_of(name)[-1] in PLACES:
        return Guessed(Guess.NOTHING, "by its name it numbers pieces of something; add it if their order matters")
    return Guessed(Guess.NUMBER, f"numbers from {min(cells):g} to {max(cells):g}")


def _of_texts(name: str, cells: Sequence[str]) -> Guessed:
    for kind, pattern in FILES.items():
        if _most(cells, pattern):
            remote = _most(cells, r"\w+://.*")
            told = f"addresses of {NAMES[kind]}: download them, and put paths in their place"
            return Guessed(Guess.NOTHING, told) if remote else Guessed(kind, f"paths of {NAMES[kind]}")
    if _most(cells, DATE):
        return Guessed(Guess.NOTHING, "dates or times: turn them into numbers, such as a month or an age")
    different, words = len(set(cells)), sum(len(cell.split()) for cell in cells) / len(cells)
    called = is_called(name, TEXTS)
    repeated = len(cells) / different
    few = (different <= FEW and repeated >= 2) or (different <= MANY and repeated >= 20 and words < 2)
    written = words >= (SENTENCE if different > 12 else 8) or (called and words >= 2)
    if few and not written:
        return Guessed(Guess.CATEGORY, f"{different} different texts")
    if written or words >= 3 or (words >= 1.5 and different < len(cells)):
        often = f", of which {different} are different" if repeated >= 2 else ""
        return Guessed(Guess.TEXT, f"texts of {max(1, round(words))} words on average{often}")
    if different >= 0.98 * len(cells):
        return Guessed(Guess.NOTHING, "an identifier: every row has another")
    told = f"{different} different short texts, too many for categories; `type: text` would read them letter by letter"
    return Guessed(Guess.NOTHING, told)


def _most(cells: Sequence[str], pattern: str) -> bool:
    """Whether nearly all cells have the pattern."""
    found = sum(re.fullmatch(pattern, cell.strip(), re.IGNORECASE | re.DOTALL) is not None for cell in cells)
    return found >= 0.95 * len(cells)
