import json
import math
import pickle
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import VECTOR, Vector
from zoo_core.inputs import vector
from zoo_core.inputs.numeric import number

NAN = float("nan")
ROWS = [
    {"price": 1.0, "size": 10, "colour": "red"},
    {"price": 3, "size": None, "colour": "blue"},
    {"price": NAN, "size": 10, "colour": None},
    None,
]
MIXED = Vector(columns=["price", "size", "colour"], categories=["colour"])


def fit(options: Vector, cells: Iterable[Any]) -> dict[str, Any]:
    fitted = vector.fit(options, InputContext(name="facts"), cells)
    assert json.loads(json.dumps(fitted)) == fitted
    return fitted


def fitted(options: Vector, cells: Iterable[Any]) -> InputType:
    return vector.build(options, InputContext(name="facts", fitted=fit(options, cells)))


def decode(made: InputType, cell: Any) -> list[float]:
    value = made.decode(cell, Path())
    assert value.dtype == torch.float32
    found: list[float] = value.tolist()
    return found


def test_what_is_learnt() -> None:
    learnt = {"means": [2, 10, 0], "deviations": [1, 1, 1], "categories": {"colour": ["blue", "red"]}}
    assert fit(MIXED, ROWS) == learnt


def test_numbers_are_standardised_and_categories_are_numbered() -> None:
    made = fitted(MIXED, ROWS)
    assert made.value == ValueSpec(modality="vector", shape=(3,), categories=(0, 0, 2))
    assert decode(made, {"price": 4.0, "size": 12, "colour": "red"}) == [2, 2, 1]
    assert decode(made, {"price": 2.0, "size": 10, "colour": "blue"}) == [0, 0, 0]


def test_standardize_can_be_left_out() -> None:
    options = Vector(columns=["price", "size", "colour"], categories=["colour"], standardize=False)
    assert decode(fitted(options, ROWS), {"price": 4.0, "size": 12, "colour": "red"}) == [4, 12, 1]


@pytest.mark.parametrize("nothing", [None, NAN, Decimal("nan")])
def test_missing_numbers_stay_missing(nothing: Any) -> None:
    assert np.isnan(decode(fitted(MIXED, ROWS), {"price": nothing, "size": nothing, "colour": None})).all()


@pytest.mark.parametrize("unknown", ["green", None, NAN, ""])
def test_an_unknown_category_is_missing(unknown: Any) -> None:
    assert np.isnan(decode(fitted(MIXED, ROWS), {"price": 1, "size": 1, "colour": unknown})[2])


def test_a_row_is_missing_when_all_columns_are_null() -> None:
    made = fitted(MIXED, ROWS)
    assert made.is_missing({"price": None, "size": None, "colour": None})
    assert not made.is_missing({"price": None, "size": None, "colour": "red"})
    assert made.is_missing(None)


def test_categories_are_texts_or_numbers() -> None:
    options = Vector(columns=["code"], categories=["code"])
    made = fitted(options, [{"code": code} for code in (2, 10, 1.0, "x", 2.5, None)])
    assert fit(options, [{"code": 2}, {"code": 10}])["categories"] == {"code": ["10", "2"]}
    assert made.value.categories == (5,)
    assert decode(made, {"code": 1}) == decode(made, {"code": 1.0}) == decode(made, {"code": "1"}) == [0]
    assert decode(made, {"code": np.int64(10)}) == [1]
    long = {"code": ["9007199254740992", "9007199254740993"]}
    assert fit(options, [{"code": 2**53}, {"code": 2**53 + 1}])["categories"] == long


def test_truth_values_and_decimals_are_numbers() -> None:
    made = fitted(Vector(columns=["a"], standardize=False), [{"a": 5}])
    found = [decode(made, {"a": cell}) for cell in (True, np.bool_(False), Decimal("1.5"), np.float32(2), np.int8(3))]
    assert found == [[1], [0], [1.5], [2], [3]]


def test_one_column_comes_as_its_cell() -> None:
    named = fitted(Vector(columns=["price"]), [1, 3, None])
    assert decode(named, 4) == decode(named, {"price": 4}) == [2]
    plain = fitted(Vector(), [1, 3])
    assert decode(plain, 4) == [2]
    assert plain.value == ValueSpec(modality="vector", shape=(1,), categories=(0,))


@pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
def test_a_list_is_a_vector(kind: Any) -> None:
    made = fitted(Vector(), [kind([1.0, 5.0]), kind([3.0, 5.0])])
    assert made.value == ValueSpec(modality="vector", shape=(2,), categories=(0, 0))
    assert decode(made, kind([4.0, 6.0])) == [2, 1]


def test_missing_numbers_in_a_list() -> None:
    made = fitted(Vector(), [[1, None], [3, 5], [NAN, 5]])
    assert np.array_equal(decode(made, [None, 7]), [NAN, 2], equal_nan=True)


THOUSANDTHS = st.integers(-(10**9), 10**9).map(lambda number: number / 1000)


@given(st.lists(st.lists(THOUSANDTHS, min_size=3, max_size=3), min_size=1, max_size=30), THOUSANDTHS)
def test_training_rows_have_mean_0_and_deviation_1(rows: list[list[float]], offset: float) -> None:
    shifted = (np.array(rows) + offset).tolist()
    learnt = fit(Vector(), shifted)
    assert np.allclose(learnt["means"], np.mean(shifted, 0), rtol=1e-9, atol=1e-6)
    spread = np.ptp(shifted, 0)
    expected = np.where(spread > 0, np.std(shifted, 0), 1)
    assert np.allclose(learnt["deviations"], expected, rtol=1e-6, atol=1e-5)
    assert np.array(learnt["deviations"])[spread == 0].tolist() == [1] * int((spread == 0).sum())


def test_more_rows_than_are_held_at_once() -> None:
    rows = np.random.default_rng(0).normal(5, 3, (9000, 2))
    learnt = fit(Vector(), rows)
    assert np.allclose([learnt["means"], learnt["deviations"]], [rows.mean(0), rows.std(0)])


def test_close_large_numbers_keep_their_deviation() -> None:
    learnt = fit(Vector(), [1.7e15, 1.7e15 + 2, 1.7e15 + 4])
    assert learnt["deviations"] == pytest.approx([np.sqrt(8 / 3)])
    assert fit(Vector(), [0.1] * 9)["deviations"] == [1]


def test_a_column_that_no_row_has_counts_as_standard() -> None:
    assert fit(Vector(), [[1, None], [3, None]]) == {"means": [2, 0], "deviations": [1, 1], "categories": {}}
    empty = Vector(columns=["a", "b"], categories=["b"])
    made = fitted(empty, [{"a": 1, "b": None}])
    assert made.value.categories == (0, 0)
    assert np.isnan(decode(made, {"a": 1, "b": "new"})[1])


def test_before_fitting_only_columns_of_numbers_tell_the_width() -> None:
    def value(**options: Any) -> ValueSpec:
        return vector.build(Vector(**options), InputContext(name="facts")).value

    assert value(columns=["a", "b"]) == ValueSpec(modality="vector", shape=(2,), categories=(0, 0))
    assert value(columns=["a", "b"], categories=["a"]) == ValueSpec(modality="vector", shape=(None,))
    assert value() == ValueSpec(modality="vector", shape=(None,))
    with pytest.raises(ValueError, match=r"build the model from a spec with `data.train`"):
        vector.build(Vector(columns=["a"]), InputContext(name="facts")).decode(1, Path())


def test_it_goes_to_workers() -> None:
    assert decode(pickle.loads(pickle.dumps(fitted(MIXED, ROWS))), ROWS[0])[0] == -1


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            {"price": "1,50", "size": 1, "colour": "red"},
            r"column `price`: '1,50' \(str\) is no number; name it under `cat",
        ),
        ({"price": [1], "size": 1, "colour": "red"}, r"column `price`: \[1\] \(list\) is no number; a cell with a wh"),
        ({"price": 1, "size": float("-inf"), "colour": "red"}, r"column `size`: -inf \(float\) is too large a number"),
        ({"price": 1, "size": 10**400, "colour": "red"}, "column `size`: .* is too large a number"),
        ({"price": 1, "size": 1e39, "colour": "red"}, "column `size`: .* is too large a number"),
        ({"price": 1, "size": 1, "colour": ["red"]}, r"column `colour`: \['red'\] \(list\) is no category"),
        ({"price": 1, "size": 1}, "lacks the column `colour`"),
        (7, r"7 \(int\) lacks the column `size`"),
    ],
)
def test_what_is_no_row_is_told(cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fitted(MIXED, ROWS).decode(cell, Path())
    with pytest.raises(ValueError, match=words):
        fit(MIXED, [*ROWS, cell])


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ([1, 2, 3], "it has 3 numbers; the training rows have 2"),
        (1, "it has 1 numbers"),
        (["a", 1], r"'a' \(str\) is no number"),
        ([[1, 2]], "it is an array of 1 x 2; expected a list of numbers"),
        ([1, [2]], "has parts of different lengths"),
        ([], "it is an array of 0"),
        ([1, float("inf")], "inf is too large a number"),
        ("1, 2", "is no number"),
        ({"a": 1}, "is no number"),
    ],
)
def test_what_is_no_list_is_told(cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fitted(Vector(), [[1, 2], [3, 4]]).decode(cell, Path())


def test_training_rows_must_agree_and_be_there() -> None:
    with pytest.raises(ValueError, match="it has 3 numbers, where the first row has 2"):
        fit(Vector(), [[1, 2], [1, 2, 3]])
    with pytest.raises(ValueError, match="no training row has it"):
        fit(MIXED, [None, None])


def test_the_declaration_names_the_fit() -> None:
    assert VECTOR.fit == f"{vector.fit.__module__}:{vector.fit.__name__}"


@pytest.mark.parametrize(("text", "value"), [("1.5", 1.5), ("-2", -2.0), (" 3e2 ", 300.0), (".5", 0.5)])
def test_a_text_that_writes_a_number_is_that_number(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "0x1F", "1.2.3", "x1"])
def test_a_text_that_only_python_takes_for_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        number(text)


def test_the_empty_text_is_no_number_and_no_error() -> None:
    assert math.isnan(number(""))
