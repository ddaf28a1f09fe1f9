import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from zoo.evaluation.power_law import extrapolate, fit_power_law

SIZES = [20, 40, 80, 160]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.3), st.floats(0.5, 3), st.floats(0.1, 1.5))
def test_a_law_without_noise_is_found_again(floor: float, scale: float, exponent: float) -> None:
    errors = [floor + scale * size**-exponent for size in SIZES]
    law = fit_power_law(SIZES, errors)
    assert [law(size) for size in SIZES] == pytest.approx(errors, abs=1e-4)
    assert 0 <= law.floor <= min(errors) and law.scale >= 0


def test_it_is_as_good_as_what_scipy_fits_from_the_truth() -> None:
    random = np.random.default_rng(0)
    errors = 0.1 + 2 * np.array(SIZES) ** -0.5 + random.normal(0, 0.01, 4)
    law = fit_power_law(SIZES, errors.tolist())
    best, _ = curve_fit(
        lambda rows, a, b, c: a + b * rows**-c,
        np.array(SIZES, float),
        errors,
        p0=(0.1, 2, 0.5),
        bounds=(0, [0.3, 9, 2]),
    )
    theirs = sum((best[0] + best[1] * size ** -best[2] - error) ** 2 for size, error in zip(SIZES, errors, strict=True))
    ours = sum((law(size) - error) ** 2 for size, error in zip(SIZES, errors, strict=True))
    assert ours <= theirs * (1 + 1e-6) + 1e-12


def test_more_rows_are_extrapolated_with_an_interval() -> None:
    random = np.random.default_rng(0)
    errors = np.array([[0.1 + 2 * size**-0.5 for size in SIZES]] * 5) + random.normal(0, 0.01, (5, 4))
    found = extrapolate(SIZES, errors, [320, 640])
    assert found.law is not None
    for each, truth in zip(found.expected, (0.1 + 2 * 320**-0.5, 0.1 + 2 * 640**-0.5), strict=True):
        assert each.low <= truth <= each.high and each.low < each.error < each.high
    assert found == extrapolate(SIZES, errors, [320, 640])


@pytest.mark.parametrize(
    ("rows", "errors", "told"),
    [
        ([20, 40], np.ones((5, 2)), "there are 2 sizes"),
        (SIZES, np.ones((1, 4)), "one fold"),
        (SIZES, np.full((5, 4), 0.3), "the curve is flat"),
        (SIZES, np.random.default_rng(1).normal(0.3, 0.1, (5, 4)), "the curve is flat"),
    ],
)
def test_nothing_is_said_where_nothing_is_told(rows: list[int], errors: np.ndarray, told: str) -> None:
    found = extrapolate(rows, errors, [320])
    assert found.law is None and not found.expected
    assert told in found.reason
