"""Whether a prediction is of the type that its head tells."""

from typing import Any

import pytest

from zoo.testing.heads import of_type


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1.5, float, True),
        (1, float, True),
        (True, int, False),
        ("a", float, False),
        (None, str, True),
        ("a", ("a", "b"), True),
        ("c", ("a", "b"), False),
        (["a"], [str], True),
        ([1], [str], False),
        ("a", [str], False),
        ({"x": 1.0}, {"x": float}, True),
        ({"x": 1.0, "y": 1.0}, {"x": float}, False),
        ({}, {"x": float}, False),
    ],
)
def test_a_value_fits_its_type_or_not(value: Any, kind: Any, fits: bool) -> None:
    assert of_type(value, kind) is fits
