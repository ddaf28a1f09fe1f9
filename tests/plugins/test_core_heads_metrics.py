"""The metrics are those of scikit-learn, and fast enough for a bootstrap."""

import time
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as known

from tests.plugins.core_heads import make
from zoo_core.declarations.heads import Classifier, Regressor

CODES = arrays(np.int64, st.tuples(st.just(2), st.integers(1, 20)), elements=st.integers(0, 4))
CHOICES = arrays(np.bool_, st.tuples(st.just(2), st.integers(1, 12), st.integers(2, 4)))  # one is no multi-label to it
NUMBERS = arrays(
    np.float64, st.tuples(st.just(2), st.integers(2, 12), st.integers(1, 3)), elements=st.integers(-50, 50)
)

SINGLE = make(Classifier(classes=list("abcde"))).metrics
MULTI = make(Classifier(classes=list("abcd"), multi_label=True)).metrics
NUMERIC = make(Regressor(standardize=False)).metrics


def measured(metric: Any, true: Any, predicted: Any) -> float:
    value = metric.compute({"true": torch.as_tensor(true), "predicted": torch.as_tensor(predicted)})
    assert type(value) is float
    return value


@settings(deadline=None)
@given(CODES)
def test_metrics_of_classes(codes: Any) -> None:
    true, predicted = codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of classes that are predicted and never true
        expected = {
            "accuracy": known.accuracy_score(true, predicted),
            "macro_f1": known.f1_score(true, predicted, average="macro"),
            "balanced_accuracy": known.balanced_accuracy_score(true, predicted),
        }
    assert {name: measured(each, true, predicted) for name, each in SINGLE.items()} == pytest.approx(expected)
    assert next(iter(SINGLE)) == "accuracy"


@settings(deadline=None)
@given(CHOICES)
def test_metrics_of_labels(choices: Any) -> None:
    true, predicted = choices
    occurring = (true | predicted).any(0)
    if not occurring.any():
        assert np.isnan([measured(MULTI[name], true, predicted) for name in ("macro_f1", "micro_f1")]).all()
        assert measured(MULTI["exact_match"], true, predicted) == 1
        return
    expected = {
        "macro_f1": known.f1_score(true, predicted, average=None, zero_division=0)[occurring].mean(),
        "micro_f1": known.f1_score(true, predicted, average="micro"),
        "exact_match": known.accuracy_score(true, predicted),
    }
    assert {name: measured(each, true, predicted) for name, each in MULTI.items()} == pytest.approx(expected)


@settings(deadline=None)
@given(NUMBERS)
def test_metrics_of_numbers(numbers: Any) -> None:
    true, predicted = numbers
    varying = np.ptp(true, 0) > 0
    expected = {
        "r2": known.r2_score(true[:, varying], predicted[:, varying]) if varying.any() else float("nan"),
        "mae": known.mean_absolute_error(true, predicted),
        "rmse": known.root_mean_squared_error(true, predicted),
    }
    found = {name: measured(each, true, predicted) for name, each in NUMERIC.items()}
    assert found == pytest.approx(expected, nan_ok=True, abs=1e-9)


def test_missing_numbers_are_left_out_column_by_column() -> None:
    nothing = float("nan")
    true = torch.tensor([[1.0, nothing], [3.0, 10.0], [nothing, 30.0]], dtype=torch.float64)
    predicted = torch.tensor([[2.0, 99.0], [3.0, 10.0], [99.0, 20.0]], dtype=torch.float64)
    assert measured(NUMERIC["mae"], true, predicted) == pytest.approx((1 / 2 + 10 / 2) / 2)
    assert measured(NUMERIC["rmse"], true, predicted) == pytest.approx(((1 / 2) ** 0.5 + (100 / 2) ** 0.5) / 2)
    assert measured(NUMERIC["r2"], true, predicted) == pytest.approx((1 - 1 / 2 + 1 - 100 / 200) / 2)


def test_a_column_of_one_number_has_no_share_of_variance_however_it_is_rounded() -> None:
    true = torch.full((7, 1), 0.1, dtype=torch.float64)
    assert np.isnan(measured(NUMERIC["r2"], true, true + 1))
    varying = torch.arange(7.0, dtype=torch.float64)[:, None]
    assert measured(NUMERIC["r2"], torch.cat([true, varying], 1), torch.cat([true + 1, varying], 1)) == 1


def test_less_error_is_better() -> None:
    assert {name for name, metric in NUMERIC.items() if not metric.higher} == {"mae", "rmse"}
    assert all(metric.higher for metric in (*SINGLE.values(), *MULTI.values()))


def test_a_thousand_resamples_take_a_moment() -> None:
    generator = torch.Generator().manual_seed(0)
    true, predicted = (torch.randint(10_000, (2000,), generator=generator) for _ in range(2))
    weights = torch.randint(3, (2000, 1000), generator=generator).double()
    started = time.process_time()
    for metric in SINGLE.values():
        assert metric.weighted is not None
        bound = metric.weighted({"true": true, "predicted": predicted})
        assert bound is not None and bound(weights).shape == (1000,)
    assert time.process_time() - started < 2
