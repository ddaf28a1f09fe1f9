import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Text
from zoo_core.inputs.text import build


def text(**options: Any) -> InputType:
    return build(Text(**options), InputContext(name="review", columns=("review",)))


@given(st.text())
def test_a_text_stays_as_it_is(cell: str) -> None:
    assert text().decode(cell, Path()) == cell


def test_lowercase() -> None:
    assert text(lowercase=True).decode("ÄRGER in Wien", Path()) == "ärger in wien"


def test_an_empty_text_is_a_text_and_null_is_none() -> None:
    made = text()
    assert made.decode("", Path()) == ""
    assert [made.is_missing(cell) for cell in ("", None)] == [False, True]


def test_it_tells_what_its_values_are_and_goes_to_workers() -> None:
    made = pickle.loads(pickle.dumps(text(max_length=7)))
    assert made.value == ValueSpec(modality="text", max_length=7)


@pytest.mark.parametrize("cell", [7, 1.5, b"bytes", ["a"], True])
def test_what_is_no_text_is_told(cell: Any) -> None:
    with pytest.raises(ValueError, match=rf"\({type(cell).__name__}\) is no text; store the column as text"):
        text().decode(cell, Path())
