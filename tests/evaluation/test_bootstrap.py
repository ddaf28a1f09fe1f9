"""Resamples are paired, seeded and fast, and metrics that know no weights are resampled as before."""

import time
from collections.abc import Mapping
from math import isnan
from typing import Any

import pytest
import torch

from tests.plugins.core_heads import make
from zoo.contract import Metric
from zoo.evaluation.bootstrap import Draws, Question, percentiles, resampled
from zoo.evaluation.estimate import Comparison, Estimate, estimates
from zoo_core.declarations.heads import Classifier, Regressor

SINGLE = make(Classifier(classes=["a", "b"])).metrics
ACCURACY, MACRO_F1 = SINGLE["accuracy"], SINGLE["macro_f1"]
MAE = make(Regressor(standardize=False)).metrics["mae"]


def plain(rows: Mapping[str, Any]) -> float:
    return float((rows["true"] == rows["predicted"]).double().mean())


def rows(right: int, wrong: int) -> dict[str, torch.Tensor]:
    true = torch.arange(right + wrong) % 2
    return {"true": true, "predicted": torch.cat([true[:right], 1 - true[right:]])}


def estimate(metric: Metric, given: Mapping[str, Any], resamples: int = 400, groups: Any = None) -> Estimate:
    count = len(next(iter(given.values())))
    (found,) = estimates([Question(metric, given)], Draws(count, resamples, groups))
    return found


def test_every_resample_has_as_many_rows() -> None:
    draws = Draws(30, 70)
    weights = torch.cat(list(draws), 1)
    assert weights.shape == (30, 70) and bool((weights.sum(0) == 30).all())
    assert all(torch.equal(a, b) for a, b in zip(draws, draws, strict=True))


def test_groups_are_drawn_whole() -> None:
    groups = torch.tensor([7, 7, 7, 2, 2, 5])
    weights = torch.cat(list(Draws(6, 50, groups)), 1)
    for group in (7, 2, 5):
        mine = weights[groups == group]
        assert torch.equal(mine, mine[:1].expand_as(mine))
    assert bool((weights[[0, 3, 5]].sum(0) == 3).all())


def test_of_many_rows_fewer_resamples_are_drawn() -> None:
    assert Draws(1_000, 1000).resamples == 1000
    assert Draws(100_000, 1000).resamples == 500
    assert Draws(10_000_000, 1000).resamples == 200
    assert Draws(10_000_000, 50).resamples == 50


def test_a_metric_without_weights_has_the_resamples_of_one_with() -> None:
    given = rows(30, 9)
    known, unknown = resampled(Draws(39, 60), [Question(ACCURACY, given), Question(Metric(plain), given)])
    assert known == pytest.approx(unknown)
    listed = {name: each.tolist() for name, each in given.items()}

    def of_lists(rows: Mapping[str, Any]) -> float:
        right = [a == b for a, b in zip(rows["true"], rows["predicted"], strict=True)]
        return float(sum(right) / len(right))

    assert resampled(Draws(39, 60), [Question(Metric(of_lists), listed)])[0] == pytest.approx(known)


def test_some_of_the_rows_are_resampled_with_all_of_them() -> None:
    given, index = rows(30, 9), torch.arange(20, 39)
    some = {name: each[index] for name, each in given.items()}
    (found,) = resampled(Draws(39, 40), [Question(MACRO_F1, some, index)])
    masked = torch.cat([weights[index] for weights in Draws(39, 40)], 1)
    assert MACRO_F1.weighted is not None
    bound = MACRO_F1.weighted(some)
    assert bound is not None and torch.equal(found, bound(masked))


def test_a_share_has_an_interval_that_is_no_point_at_its_end() -> None:
    found = estimate(ACCURACY, rows(12, 0))
    assert (found.value, found.n, found.high) == (1, 12, 1)
    assert found.low == pytest.approx(0.7575, abs=1e-4)  # scipy: binomtest(12, 12).proportion_ci(method="wilson")


def test_what_never_changes_has_no_interval_and_says_why() -> None:
    found = estimate(MACRO_F1, rows(12, 0))
    assert found.low is None and "the same in every resample" in found.reason
    assert found.as_dict()["reason"] == found.reason


def test_a_metric_without_a_value_is_null_with_its_reason() -> None:
    constant = {"true": torch.full((5, 1), 2.0).double(), "predicted": torch.rand(5, 1).double()}
    found = estimate(make(Regressor(standardize=False)).metrics["r2"], constant)
    assert isnan(found.value) and found.as_dict() == {
        "value": None, "n": 5, "low": None, "high": None, "reason": "the true numbers are all the same",
    }  # fmt: skip
    assert "none, because" in repr(found)


def test_more_rows_give_a_narrower_interval() -> None:
    few, many = estimate(MACRO_F1, rows(18, 2)), estimate(MACRO_F1, rows(900, 100))
    assert few.low is not None and few.high is not None and many.low is not None and many.high is not None
    assert (many.high - many.low) < 0.3 * (few.high - few.low)


def test_rows_that_come_in_groups_give_a_wider_interval() -> None:
    true = torch.arange(200) % 2
    groups = torch.arange(200) // 10
    wrong = groups % 4 == 0
    given = {"true": true, "predicted": torch.where(wrong, 1 - true, true)}
    for metric in (ACCURACY, MACRO_F1):
        alone, together = estimate(metric, given), estimate(metric, given, groups=groups)
        assert None not in (alone.low, alone.high, together.low, together.high)
        assert together.high - together.low > 2 * (alone.high - alone.low)  # type: ignore[operator]


def test_no_interval_stands_on_one_row_or_no_resamples() -> None:
    for metric in (ACCURACY, MACRO_F1, Metric(plain)):
        assert estimate(metric, rows(1, 0)).low is None
        assert estimate(metric, rows(5, 5), 0).high is None


def test_resamples_without_a_value_are_left_out() -> None:
    found = percentiles(torch.tensor([float("nan"), 0.5, 0.25, float("nan"), 0.75], dtype=torch.float64))
    assert found is not None and 0.25 <= found[0] < found[1] <= 0.75
    assert percentiles(torch.full((3,), torch.nan)) is None


def test_differences_are_paired() -> None:
    generator = torch.Generator().manual_seed(3)
    true = torch.randn(200, 1, generator=generator).double()
    noise = torch.randn(200, 1, generator=generator).double()
    versions = {
        "near": {"true": true, "predicted": true + noise},
        "far": {"true": true, "predicted": true + 1.1 * noise},
    }
    found = Comparison(MAE, versions, Draws(200, 400)).estimate({"far": 1, "near": -1})
    far = estimate(MAE, versions["far"])
    assert found.low is not None and found.high is not None and far.low is not None and far.high is not None
    assert found.low > 0 and found.high - found.low < 0.2 * (far.high - far.low)
    assert found.value == pytest.approx(0.1 * float(noise.abs().mean()))


def test_where_no_row_differs_the_difference_is_not_known_to_be_nothing() -> None:
    versions = {"one": rows(10, 2), "other": rows(10, 2)}
    found = Comparison(ACCURACY, versions, Draws(12, 50)).estimate({"one": 1, "other": -1})
    assert found.value == 0 and found.low is not None and found.high is not None
    assert -0.3 < found.low < -0.1 and found.high == -found.low
    more = Comparison(ACCURACY, versions, Draws(12, 50, torch.arange(12) // 4)).estimate({"one": 1, "other": -1})
    assert more == found


def test_an_undefined_part_makes_a_difference_undefined() -> None:
    same = {"true": torch.ones(4, 1).double(), "predicted": torch.rand(4, 1).double()}
    r2 = make(Regressor(standardize=False)).metrics["r2"]
    found = Comparison(r2, {"a": same, "b": same}, Draws(4, 20)).estimate({"a": 1, "b": -1})
    assert isnan(found.value) and "all the same" in found.reason


def test_a_thousand_resamples_of_seven_subsets_take_a_moment() -> None:
    """The generic way takes 20 times as long; the quick one is measured against a part of it."""
    given = {name: each.repeat(10) for name, each in rows(30, 10).items()}
    slow = [Question(Metric(each.compute), given) for each in SINGLE.values()]
    started = time.process_time()
    resampled(Draws(400, 40), slow)
    one_by_one = (time.process_time() - started) * 25
    quick = [Question(each, given) for each in SINGLE.values()]
    started = time.process_time()
    resampled(Draws(400, 1000), quick)
    assert time.process_time() - started < one_by_one / 4
