"""Arrays of Python's values, made and read without what would import pandas."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.arrays import bits, floats, lists, simple, texts, whole

NUMBERS = st.integers(-(2**63), 2**63 - 1)
MADE = {
    "texts": (texts, st.text()),
    "whole": (whole, NUMBERS),
    "floats": (floats, st.floats(allow_nan=False)),
    "lists": (lists(whole), st.none() | st.lists(NUMBERS)),
    "boxes": (lists(lists(floats)), st.none() | st.lists(st.lists(st.floats(allow_nan=False)))),
}


@pytest.mark.parametrize("name", MADE)
@settings(deadline=None)
@given(data=st.data())
def test_values_come_back(name: str, data: st.DataObject) -> None:
    make, values = MADE[name]
    cells = data.draw(st.lists(values))
    array = make(cells)
    array.validate(full=True)
    assert array.to_pylist() == cells


@settings(deadline=None)
@given(st.lists(st.booleans()), st.integers(0, 20))
def test_truth_values_come_back(values: list[bool], start: int) -> None:
    assert bits(pa.array(values, pa.bool_()).slice(start)).tolist() == values[start:]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (pa.struct([("a", pa.string_view())]), [{"a": "x"}, None]),
        (pa.list_(pa.binary_view()), [[b"x", None], None]),
        (pa.dictionary(pa.int8(), pa.string()), ["x", None, "x"]),
        (pa.float32(), [1.5, None]),
    ],
)
def test_forms_of_which_arrow_takes_no_cells(kind: pa.DataType, cells: list[Any]) -> None:
    column = simple(pa.chunked_array([pa.array(cells, kind)]))
    indices = pa.array(range(len(cells)))
    assert column.take(indices).to_pylist() == cells
