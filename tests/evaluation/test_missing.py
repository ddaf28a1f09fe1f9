import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.evaluation.measure import all_subsets
from zoo.evaluation.missing import RATES, area_weights, kept_inputs, picked, subset_numbers

PRESENT = st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20)


@given(PRESENT, st.sampled_from(RATES), st.integers(0, 99))
def test_a_row_keeps_something_of_what_it_has_and_gets_nothing_else(
    rows: list[list[bool]], rate: float, seed: int
) -> None:
    present = torch.tensor(rows)
    kept = kept_inputs(present, rate, torch.Generator().manual_seed(seed))
    assert not bool((kept & ~present).any())
    assert torch.equal(kept.any(1), present.any(1))


def test_as_many_go_missing_as_the_rate_says() -> None:
    present = torch.ones(4000, 4, dtype=torch.bool)
    kept = kept_inputs(present, 0.3, torch.Generator().manual_seed(0))
    assert float(kept.double().mean()) == pytest.approx(0.7, abs=0.02)
    nearly = kept_inputs(present, 0.9, torch.Generator().manual_seed(0)).sum(1)
    assert nearly.min() == 1 and float((nearly == 1).double().mean()) > 0.9
    alone = kept_inputs(present, 1.0, torch.Generator().manual_seed(0)).double().mean(0)
    assert alone.tolist() == pytest.approx([0.25] * 4, abs=0.03)  # which one stays is left to chance


def test_each_row_is_what_its_set_of_inputs_makes_of_it() -> None:
    names = ["a", "b", "c"]
    subsets = all_subsets(names)
    kept = torch.tensor([[name in each for name in names] for each in subsets])
    numbers = subset_numbers(kept, names, subsets)
    assert numbers.tolist() == list(range(7))
    versions = [{"told": torch.full((7,), n), "listed": [n] * 7, "more": torch.zeros(7)} for n in range(7)]
    rows = picked([{key: each[key] for key in ("told", "listed")} for each in versions], numbers)
    assert rows["told"].tolist() == rows["listed"] == list(range(7))


def test_the_area_is_the_mean_under_the_curve() -> None:
    weights = area_weights(RATES)
    assert sum(weights) == pytest.approx(1)
    assert sum(weight * (1 - rate) for weight, rate in zip(weights, RATES, strict=True)) == pytest.approx(0.55)
