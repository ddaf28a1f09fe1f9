"""The words of errors: the nearest name, a type, a list."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.document.fields import describe
from zoo.errors import listed, nearest

words = st.text(alphabet="abcd/_-01AB", min_size=1, max_size=10)


@given(words, st.lists(words))
def test_nearest_is_one_of_the_candidates(word: str, candidates: list[str]) -> None:
    assert nearest(word, candidates) in {None, *candidates}


@given(words, st.lists(words))
def test_nearest_of_a_candidate_is_itself_but_for_case(word: str, candidates: list[str]) -> None:
    found = nearest(word, [*candidates, word])
    assert found is not None
    assert found.casefold() == word.casefold()


@given(words, st.lists(words), st.randoms())
def test_nearest_does_not_depend_on_order(word: str, candidates: list[str], random: Any) -> None:
    shuffled = candidates.copy()
    random.shuffle(shuffled)
    assert nearest(word, shuffled) == nearest(word, candidates)


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("colum", ["column", "columns"], "column"),
        ("RESNET50", ["resnet50", "resnet500"], "resnet50"),
        ("repository", ["repo", "license"], "repo"),
        ("lr", ["learning_rate", "l2_sp"], None),
        ("banana", ["train", "data"], None),
        ("", ["train"], None),
        ("train", [], None),
        ("wieght", ["weight", "weights"], "weight"),
    ],
)
def test_nearest(word: str, candidates: list[str], expected: str | None) -> None:
    assert nearest(word, candidates) == expected


@pytest.mark.parametrize(
    ("hint", "bounds", "unit", "text"),
    [
        (int, {"ge": 1}, "", "a whole number, at least 1"),
        (int, {"ge": 1000, "le": 192000}, "Hz", "a whole number in Hz, from 1000 to 192000"),
        (float, {"gt": 0, "lt": 1}, "", "a number, above 0, below 1"),
        (float | None, {}, "", "a number or null"),
        (float | str | None, {}, "", "a number, a text or null"),
        (bool, {}, "", "true or false"),
        (str, {"min_length": 1}, "", "a text"),
        (list[str] | None, {"min_length": 2}, "", "a list of texts or null, with at least 2"),
        (list[int], {}, "", "a list of whole numbers"),
        (dict[str, Any], {}, "", "a mapping"),
        (Literal["auto", "fp32", "bf16"], {}, "", "`auto`, `fp32` or `bf16`"),
        (Literal["auto"], {}, "", "`auto`"),
        (Any, {}, "", "any value"),
    ],
)
def test_describe(hint: Any, bounds: dict[str, Any], unit: str, text: str) -> None:
    assert describe(hint, tuple(bounds.items()), unit) == text


def test_listed_sorts_and_ends() -> None:
    assert listed(["b", "a"]) == "a, b"
    assert listed(map(str, range(10, 40)), 3) == "10, 11, 12, ... (30 in all)"
    assert listed([]) == ""
