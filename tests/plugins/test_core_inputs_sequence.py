import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import SEQUENCE, Sequence
from zoo_core.inputs import sequence

NAN = float("nan")
ROWS = [[[1.0, 5.0]], None, [[3.0, 5.0], [2.0, 5.0]]]


def fit(cells: Iterable[Any], **options: Any) -> dict[str, Any]:
    fitted = sequence.fit(Sequence(**options), InputContext(name="gait"), cells)
    assert json.loads(json.dumps(fitted)) == fitted
    return fitted


def fitted(cells: Iterable[Any], **options: Any) -> InputType:
    context = InputContext(name="gait", fitted=fit(cells, **options))
    return sequence.build(Sequence(**options), context)


def decode(made: InputType, cell: Any) -> NDArray[np.float32]:
    value = made.decode(cell, Path())
    assert value.dtype == torch.float32
    return np.asarray(value)


def test_what_is_learnt_over_all_steps() -> None:
    assert fit(ROWS) == {"means": [2, 5], "deviations": [pytest.approx(np.sqrt(2 / 3)), 1]}


def test_features_are_standardised() -> None:
    made = fitted(ROWS)
    assert made.value == ValueSpec(modality="sequence", shape=(None, 2), max_length=512)
    assert np.allclose(decode(made, [[2, 5], [2 + np.sqrt(2 / 3), 6]]), [[0, 0], [1, 1]])
    assert decode(fitted(ROWS, standardize=False), [[7, 8]]).tolist() == [[7, 8]]


@pytest.mark.parametrize(
    "cell",
    [
        [[1, 2], [3, 4]],
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=np.float32),
        torch.tensor([[1, 2], [3, 4]]),
        np.array([np.array([1.0, 2.0]), np.array([3.0, 4.0]), None], dtype=object)[:2],
    ],
)
def test_a_sequence_comes_in_many_ways(cell: Any) -> None:
    assert decode(fitted(ROWS, standardize=False), cell).tolist() == [[1, 2], [3, 4]]


def test_a_flat_list_is_one_feature() -> None:
    made = fitted([[1, 2], [3]], standardize=False)
    assert made.value.shape == (None, 1)
    assert decode(made, [4, 5, 6]).tolist() == [[4], [5], [6]]


@pytest.mark.parametrize("standardize", [True, False])
def test_a_missing_reading_becomes_the_mean(standardize: bool) -> None:
    made = fitted([[[1, 10], [3, None]], [[NAN, 20], [2, 30]]], standardize=standardize)
    assert np.array_equal(decode(made, [[None, NAN]]), decode(made, [[2, 20]]))


def test_what_is_too_long_is_cut_off() -> None:
    made = fitted([[0, 4, 100]], max_length=2)
    assert made.value.max_length == 2
    assert decode(made, [2, 4, 6, 8]).tolist() == [[0], [1]]  # what is cut off taught nothing either


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(st.integers(-9999, 9999).map(lambda number: number / 100), min_size=1, max_size=9),
        min_size=1,
        max_size=5,
    )
)
def test_all_steps_of_the_training_rows_have_mean_0_and_deviation_1(rows: list[list[float]]) -> None:
    steps = np.concatenate(rows)
    learnt = fit(rows)
    assert learnt["means"] == pytest.approx([steps.mean()], abs=1e-9)
    assert learnt["deviations"] == pytest.approx([steps.std() if np.ptp(steps) else 1], abs=1e-6)


def test_before_fitting_nothing_is_known_of_the_features() -> None:
    made = sequence.build(Sequence(), InputContext(name="gait"))
    assert made.value == ValueSpec(modality="sequence", shape=(None, None), max_length=512)
    with pytest.raises(ValueError, match=r"build the model from a spec with `data.train`"):
        made.decode([[1, 2]], Path())


def test_it_goes_to_workers() -> None:
    assert decode(pickle.loads(pickle.dumps(fitted(ROWS))), [[2, 5]]).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ([[1, 2], [1, 2, 3]], "its steps have 2 and 3 features; expected the same number in each"),
        ([[1, 2], 3], "its steps have 1 and 2 features"),
        ([[1, 2, 3]], "it has 3 features per step; the training rows have 2"),
        ([1, 2], "it has 1 features per step"),
        ([], r"it has no steps; leave the cell empty \(null\)"),
        ([[], []], "it has no steps"),
        (np.zeros((2, 2, 2)), "it is an array of 2 x 2 x 2; expected steps x features"),
        ([[1, "a"]], r"'a' \(str\) is no number"),
        ([["a", "b"]], r"'a' \(str\) is no number"),
        ([[1, float("inf")]], "inf is too large a number"),
        ("1 2 3", r"'1 2 3' \(str\) is no sequence; expected a list of steps"),
        (3.5, r"3.5 \(float\) is no sequence"),
        ({"a": [1]}, "is no sequence"),
    ],
)
def test_what_is_no_sequence_is_told(cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fitted(ROWS).decode(cell, Path())


def test_training_rows_must_agree_and_be_there() -> None:
    with pytest.raises(ValueError, match="it has 3 features per step, where the first row has 2"):
        fit([[[1, 2]], [[1, 2, 3]]])
    with pytest.raises(ValueError, match="no training row has it"):
        fit([None])


def test_the_declaration_names_the_fit() -> None:
    assert SEQUENCE.fit == f"{sequence.fit.__module__}:{sequence.fit.__name__}"
