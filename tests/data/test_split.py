from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.split import split
from zoo.errors import UsageError

SHARES = st.floats(0.01, 0.99)
SEEDS = st.integers(0, 2**63 - 1)


@given(st.integers(2, 300), SHARES, SEEDS)
def test_as_many_rows_are_set_aside_as_the_share_says(rows: int, share: float, seed: int) -> None:
    aside = split(rows, share, seed)
    assert aside.sum() == min(max(1, round(share * rows)), rows - 1)
    assert (aside == split(rows, share, seed)).all()


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=8, max_size=200), SHARES, SEEDS)
def test_every_class_has_its_share_on_both_sides(labels: list[str | None], share: float, seed: int) -> None:
    aside = split(len(labels), share, seed, labels)
    counts = Counter(labels)
    chosen = Counter(label for label, is_aside in zip(labels, aside, strict=True) if is_aside)
    wanted = min(max(1, round(share * len(labels))), len(labels) - 1)
    assert aside.sum() == (wanted if wanted < len(counts) else min(wanted, len(labels) - len(counts)))
    if wanted >= len(counts):
        for label, count in counts.items():
            assert chosen[label] < count
            if all(each * (1 - wanted / len(labels)) >= 1 for each in counts.values()):
                assert abs(chosen[label] - count * wanted / len(labels)) < 1


def test_shares_are_exact_where_they_can_be() -> None:
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    aside = split(100, 0.2, 0, labels)
    assert [int(aside[part].sum()) for part in (slice(0, 60), slice(60, 90), slice(90, 100))] == [12, 6, 2]


def test_a_class_with_one_row_stays_with_those_to_learn_from() -> None:
    for seed in range(20):
        assert not split(21, 0.4, seed, ["rare"] + ["often"] * 20)[0]


def test_another_seed_chooses_other_rows() -> None:
    assert (split(100, 0.5, 0) != split(100, 0.5, 1)).any()


@pytest.mark.parametrize("labels", [[[1], [2]] * 10, list(np.linspace(0, 1, 20))])
def test_labels_that_are_no_classes_are_left_to_chance(labels: list[object]) -> None:
    assert (split(20, 0.25, 3, labels) == split(20, 0.25, 3)).all()


@given(st.lists(st.sampled_from(["x", "y", "z", 1, "1"]), min_size=2, max_size=100), SHARES, SEEDS)
def test_no_group_is_on_both_sides(groups: list[object], share: float, seed: int) -> None:
    if len(set(groups)) < 2:
        with pytest.raises(UsageError, match="all rows are of one group; a split needs two groups"):
            split(len(groups), share, seed, groups=groups)
        return
    aside = split(len(groups), share, seed, groups=groups)
    left, right = ({group for group, side in zip(groups, aside, strict=True) if side == each} for each in (True, False))
    assert left
    assert right
    assert not left & right


@given(st.integers(20, 200), st.floats(0.1, 0.5), SEEDS)
def test_small_groups_come_near_the_share(rows: int, share: float, seed: int) -> None:
    aside = split(rows, share, seed, groups=[row // 2 for row in range(rows)])
    assert abs(aside.sum() - share * rows) <= 2


def test_rows_of_no_group_are_split_one_by_one() -> None:
    groups = [None] * 50 + ["g"] * 50
    aside = split(100, 0.3, 0, groups=groups)
    assert 0 < aside[:50].sum() < 50
    assert aside[50:].sum() in (0, 50)


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(UsageError, match="one row"):
        split(1, 0.5, 0)
