import datetime
from typing import Any

import pytest

from zoo.spec.guess import Guess, guess

PNG, WAV = b"\x89PNG\r\n\x1a\n....", b"RIFF\x24\x00\x00\x00WAVEfmt "
JPEG, WEBP, FLAC = b"\xff\xd8\xff\xe0..", b"RIFF\x24\x00\x00\x00WEBPVP8 ", b"fLaC...."
WORDS = ["a cat on a mat", "two dogs in the park", "nobody is here at all"]

CASES: list[tuple[list[Any], Guess]] = [
    ([PNG, JPEG, WEBP], Guess.IMAGE),
    ([WAV, FLAC, b"ID3\x03"], Guess.AUDIO),
    ([b"%PDF-1.4", PNG], Guess.NOTHING),
    ([{"bytes": PNG, "path": None}, {"bytes": None, "path": "a.png"}], Guess.NOTHING),
    ([{"bytes": PNG, "path": "a.png"}, {"bytes": JPEG, "path": None}], Guess.IMAGE),
    ([{"a": 1}, {"a": 2}], Guess.NOTHING),
    (["a.jpg", "b.JPEG", "c.png"], Guess.IMAGE),
    (["a.wav", "b.mp3"], Guess.AUDIO),
    (["https://x.org/a.jpg", "https://x.org/b.jpg"], Guess.NOTHING),
    (WORDS, Guess.TEXT),
    (["red", "blue"] * 4, Guess.CATEGORY),
    ([True, False], Guess.CATEGORY),
    ([f"{n:x}-code" for n in range(50)], Guess.NOTHING),
    (["blue shirt", "red shirt", "blue shirt", "old hat", "new hat", "warm coat"], Guess.TEXT),
    (["2024-01-31", "2024-02-01 10:00"], Guess.NOTHING),
    (["31.1.2024", "1/2/24", "12:30"], Guess.NOTHING),
    ([datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31)], Guess.NOTHING),
    ([datetime.time(12)], Guess.NOTHING),
    ([0.5, 2, 3.5], Guess.NUMBER),
    ([3, 1, 3], Guess.NUMBER),
    ([7, 8, 9, 10], Guess.NOTHING),
    (["x", "x"], Guess.NOTHING),
    ([4.0, 4.0], Guess.NOTHING),
    ([], Guess.NOTHING),
    (["x", 1], Guess.NOTHING),
    ([["a", "b"], ["c"]], Guess.LABELS),
    ([[1.0, 2], [3, 4]], Guess.VECTOR),
    ([[1.0], [3, 4]], Guess.SEQUENCE),
    ([[[1.0, 2.0]], [[3, 4], [5, 6]]], Guess.SEQUENCE),
    ([[{"bytes": PNG}], []], Guess.NOTHING),
    ([["a.png", "b.png"]] * 3, Guess.NOTHING),
    ([{"bbox": [[1, 2, 3, 4]]}] * 3, Guess.NOTHING),
    (
        ["does it hold a red shape?", "is there a blue shape?"] * 30
        + [f"is there shape {n} in it?" for n in range(20)],
        Guess.TEXT,
    ),
    (["New York", "Los Angeles", "San Jose"] * 9, Guess.CATEGORY),
    ([f"place {n % 300}".replace(" ", "") for n in range(9000)], Guess.CATEGORY),
    ([f"place{n % 300}" for n in range(600)], Guess.NOTHING),
]


@pytest.mark.parametrize(("cells", "kind"), CASES, ids=lambda value: str(value)[:40])
def test_what_a_column_is(cells: list[Any], kind: Guess) -> None:
    guessed = guess("column", cells)
    assert guessed.kind is kind
    assert guessed.why


@pytest.mark.parametrize("name", ["id", "customer_id", "customerId", "order no", "Key"])
def test_different_whole_numbers_under_such_a_name_are_identifiers(name: str) -> None:
    assert guess(name, [17, 4, 99]).kind is Guess.NOTHING
    assert guess(name, [17, 4, 17]).kind is Guess.NUMBER


@pytest.mark.parametrize("name", ["paid", "valid", "piano", "width"])
def test_a_name_that_only_ends_like_one_is_none(name: str) -> None:
    assert guess(name, [17, 4, 99]).kind is Guess.NUMBER


def test_few_texts_under_a_name_of_texts_are_no_categories() -> None:
    few = ["red shirt", "blue shirt", "old hat"] * 9
    assert guess("colour", few).kind is Guess.CATEGORY
    assert guess("question", few).kind is Guess.TEXT


@pytest.mark.parametrize(
    ("name", "cells"), [("image_id", [row * 7 % 50 for row in range(99)]), ("index", [5, 6, 7, 8, 9, 10] * 9)]
)
def test_numbers_that_are_names_are_no_amounts(name: str, cells: list[int]) -> None:
    assert guess(name, cells).kind is Guess.NOTHING
    assert guess("amount", cells).kind is Guess.NUMBER


def test_boxes_are_no_sequence() -> None:
    boxes = [[[1.0, 2.0, 3.0, 4.0]], []]
    assert guess("boxes", boxes).kind is Guess.NOTHING
    assert guess("steps", boxes).kind is Guess.SEQUENCE
