"""Intervals of shares: golden numbers of scipy, and how often they hold the truth."""

from math import sqrt

import numpy as np
import pytest
import torch
from scipy.stats import binom, binomtest, t

from tests.plugins.core_heads import make
from zoo.evaluation.bootstrap import Draws, Question
from zoo.evaluation.estimate import Comparison, estimates
from zoo.evaluation.intervals import Z, adjusted, independent_rows, student, wilson
from zoo_core.declarations.heads import Classifier

HEAD = make(Classifier(classes=["a", "b", "c"]))


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (1, 1), (12, 12), (7, 9), (450, 1000)])
def test_the_interval_of_a_share(right: int, rows: int) -> None:
    known = binomtest(right, rows).proportion_ci(method="wilson")
    assert wilson(right / rows, rows) == pytest.approx((known.low, known.high))


def test_the_interval_of_a_paired_difference() -> None:
    """Bonett and Price (2012): one row is added to each kind of rows that differ."""
    better, worse, rows = 9, 4, 50
    differences = torch.tensor([1.0] * better + [-1.0] * worse + [0.0] * (rows - better - worse))
    first, second = (better + 1) / (rows + 2), (worse + 1) / (rows + 2)
    half = Z * sqrt((first + second - (first - second) ** 2) / (rows + 2))
    expected = (first - second - half, first - second + half)
    assert adjusted(differences, rows, -1, 1) == pytest.approx(expected)


def test_the_interval_of_a_share_by_pseudo_rows() -> None:
    """Agresti and Coull (1998), with 2 of 4."""
    right = torch.tensor([1.0] * 30 + [0.0] * 10)
    share = 32 / 44
    half = Z * sqrt(share * (1 - share) / 44)
    assert adjusted(right, 40, 0, 1) == pytest.approx((share - half, share + half))


def test_rows_that_are_alike_within_groups_are_worth_their_groups() -> None:
    groups = torch.arange(10).repeat_interleave(8)
    right = (groups % 3 > 0).double()
    few = (Z / t.ppf(0.975, 9)) ** 2  # ten groups tell little of how alike their rows are
    assert independent_rows(right, None) == 80
    assert independent_rows(right, groups) == pytest.approx(9 * few, rel=1e-3)  # the mean takes one degree of freedom
    assert independent_rows(torch.ones(80).double(), groups) == 10
    mixed = (torch.arange(80) % 2).double()
    assert independent_rows(mixed, groups) == pytest.approx(80 * few, rel=1e-3)


@pytest.mark.parametrize("freedom", [3, 4, 9, 30, 1000])
def test_the_deviations_of_student(freedom: int) -> None:
    assert student(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=1e-2 if freedom < 4 else 2e-3)


@pytest.mark.parametrize("rows", [12, 40, 200])
def test_the_truth_is_in_19_of_20_intervals_of_a_share(rows: int) -> None:
    """Exactly, from the binomial: on average over shares, and nowhere in fewer than 5 of 6."""
    shares = np.linspace(0.5, 0.99, 99)
    ends = np.array([wilson(right / rows, rows) for right in range(rows + 1)])
    held = [
        sum(binom.pmf(right, rows, share) for right, (low, high) in enumerate(ends) if low <= share <= high)
        for share in shares
    ]
    assert np.mean(held) > 0.945 and min(held) > 5 / 6


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.05])
def test_the_truth_is_in_19_of_20_intervals_of_a_paired_difference(effect: float) -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(3000):
        draws = random.choice([1.0, -1.0, 0.0], 40, p=[0.05 + effect, 0.05, 0.9 - effect])
        low, high = adjusted(torch.tensor(draws), 40, -1, 1)
        held.append(low <= effect <= high)
    assert np.mean(held) > 0.94


@pytest.mark.slow
def test_the_truth_is_in_most_intervals_of_grouped_rows() -> None:
    """20 groups of 10 rows, each with a share of its own; intervals that count rows hold the truth far too seldom."""
    random = np.random.default_rng(0)
    groups = torch.arange(20).repeat_interleave(10)
    whole, single = [], []
    for _ in range(1500):
        shares = random.beta(4, 1, 20)
        right = torch.tensor(random.random(200) < shares.repeat(10)).double()
        low, high = wilson(float(right.mean()), independent_rows(right, groups))
        whole.append(low <= 0.8 <= high)
        low, high = wilson(float(right.mean()), 200)
        single.append(low <= 0.8 <= high)
    assert np.mean(whole) > 0.93 > 0.8 > np.mean(single)


@pytest.mark.slow
def test_the_truth_is_in_most_bootstrap_intervals() -> None:
    """Percentiles are a little too narrow on few rows: at 60 rows of 3 classes at least 9 of 10 hold macro F1."""
    generator = torch.Generator().manual_seed(0)

    def drawn(rows: int) -> dict[str, torch.Tensor]:
        true = torch.randint(3, (rows,), generator=generator)
        wrong = torch.rand(rows, generator=generator) < 0.2
        return {"true": true, "predicted": torch.where(wrong, (true + 1) % 3, true)}

    metric = HEAD.metrics["macro_f1"]
    truth = metric.compute(drawn(200_000))
    held = []
    for _ in range(400):
        (found,) = estimates([Question(metric, drawn(60))], Draws(60, 300))
        held.append(found.low is not None and found.high is not None and found.low <= truth <= found.high)
    assert np.mean(held) > 0.9


def test_a_comparison_of_shares_needs_no_resample() -> None:
    true = torch.arange(30) % 3
    versions = {"right": {"true": true, "predicted": true}, "zero": {"true": true, "predicted": true * 0}}
    found = Comparison(HEAD.metrics["accuracy"], versions, Draws(30, 10)).estimate({"right": 1, "zero": -1})
    differences = torch.tensor([0.0, 1.0, 1.0] * 10)
    assert (found.low, found.high) == pytest.approx(adjusted(differences, 30, -1, 1))
