from collections.abc import Mapping
from typing import Any

import pytest
import torch

from zoo.evaluation.bootstrap import estimate


def accuracy(rows: Mapping[str, Any]) -> float:
    return float((rows["true"] == rows["predicted"]).float().mean())


def rows(right: int, wrong: int) -> dict[str, torch.Tensor]:
    true = torch.zeros(right + wrong, dtype=torch.long)
    return {"true": true, "predicted": torch.tensor([0] * right + [1] * wrong)}


def test_the_interval_is_that_of_the_binomial_for_a_share() -> None:
    found = estimate(accuracy, rows(90, 10), 2000)
    assert found.value == pytest.approx(0.9)
    assert found.n == 100
    assert found.low == pytest.approx(0.84, abs=0.015)
    assert found.high == pytest.approx(0.95, abs=0.015)


def test_the_same_rows_give_the_same_interval() -> None:
    assert estimate(accuracy, rows(7, 3), 100) == estimate(accuracy, rows(7, 3), 100)


def test_more_rows_give_a_narrower_interval() -> None:
    few, many = estimate(accuracy, rows(9, 1), 500), estimate(accuracy, rows(900, 100), 500)
    assert few.low is not None and few.high is not None and many.low is not None and many.high is not None
    assert (many.high - many.low) < 0.3 * (few.high - few.low)


def test_lists_are_drawn_like_tensors() -> None:
    listed = {name: each.tolist() for name, each in rows(8, 2).items()}

    def same(rows: Mapping[str, Any]) -> float:
        return float(sum(a == b for a, b in zip(rows["true"], rows["predicted"], strict=True)) / len(rows["true"]))

    tensors, lists = estimate(accuracy, rows(8, 2), 200), estimate(same, listed, 200)
    assert lists.low == pytest.approx(tensors.low) and lists.high == pytest.approx(tensors.high)


def test_no_interval_stands_on_one_row_or_no_resamples() -> None:
    assert estimate(accuracy, rows(1, 0), 100).low is None
    assert estimate(accuracy, rows(5, 5), 0).high is None


def test_resamples_without_a_value_are_left_out() -> None:
    def unless_all_right(rows: Mapping[str, Any]) -> float:
        share = accuracy(rows)
        return share if share < 1 else float("nan")

    found = estimate(unless_all_right, rows(9, 1), 300)
    assert found.high is not None and found.high < 1
