import math
import random

import pytest
from scipy import stats

from zoo.evaluation.resampled import resampled_test


def test_the_formula_by_hand() -> None:
    # Mean 0.02, variance 0.00025, J = 5, held / learnt = 1/4: error = sqrt(0.00025 * 0.45) = 0.0106066; t = 1.885618.
    found = resampled_test([0.01, 0.03, 0.0, 0.04, 0.02], held=20, learnt=80)
    assert found.value == pytest.approx(0.02)
    ratio = 3.5555556 / 4 + 1  # Student's distribution of 4 degrees of freedom has a closed form
    inside = 3 / 8 * 1.885618 / math.sqrt(ratio) * (1 - 3.5555556 / (12 * ratio))
    assert found.p == pytest.approx(1 - 2 * inside, abs=1e-6)
    assert found.low == pytest.approx(0.02 - 2.7764451 * 0.01060660, abs=1e-7)
    assert found.high == pytest.approx(0.02 + 2.7764451 * 0.01060660, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_a_naive_implementation_says(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randrange(2, 30)
    differences = [draw.gauss(0.1, 1) for _ in range(count)]
    mean = sum(differences) / count
    spread = sum((each - mean) ** 2 for each in differences) / (count - 1)
    statistic = mean / math.sqrt((1 / count + 30 / 70) * spread)
    found = resampled_test([*differences, math.nan], 30, 70)
    assert found.folds == count
    assert found.p == pytest.approx(2 * stats.t.cdf(-abs(statistic), count - 1))
    assert found.low is not None and found.high is not None and found.p is not None
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)


def test_without_the_correction_it_is_students_test() -> None:
    differences = [0.5, -0.2, 0.9, 0.4]
    assert resampled_test(differences, 0, 1).p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)


def test_what_does_not_tell_has_a_reason() -> None:
    assert resampled_test([], 1, 1).as_dict() == {
        "value": None,
        "folds": 0,
        "low": None,
        "high": None,
        "p": None,
        "reason": "no fold has a value of both",
    }
    assert "one fold" in resampled_test([0.1], 1, 1).reason
    assert "the same in every fold" in resampled_test([0.0, 0.0], 1, 1).reason
