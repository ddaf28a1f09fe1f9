"""Mixup and CutMix: pairs, shares, absence, labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from tests.tables import write_tables
from zoo import Batch, Targets, UsageError, Values, build
from zoo.data.mixing import Mixing
from zoo.data.open import training
from zoo.data.rows import open_rows


def batch(rows: int, absent: list[int] | None = None, labelled: list[int] | None = None) -> Batch:
    """Pictures whose pixels, vectors whose numbers and labels whose values are the row's number."""
    number = torch.arange(rows, dtype=torch.float32)
    present = None if absent is None else torch.tensor([row not in absent for row in range(rows)])
    data = number[:, None, None, None].expand(rows, 1, 10, 20).clone()
    vector = number[:, None].expand(rows, 3).clone()
    if present is not None:
        vector[~present] = 0
    chosen = None if labelled is None else torch.tensor(labelled)
    value = number if chosen is None else number[chosen]
    inputs = {"photo": Values(data), "facts": Values(vector, None, present)}
    return Batch(inputs, {"label": Targets(value, chosen)}, ids=tuple(range(rows)))


def tensor(values: Values) -> Tensor:
    assert isinstance(values.data, Tensor)
    return values.data


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 9), st.booleans())
def test_inputs_and_labels_of_a_row_have_one_partner_and_one_share(seed: int, rows: int, cut: bool) -> None:
    mixed = Mixing(0 if cut else 0.5, 1.0 if cut else 0, ["photo"])(batch(rows), seed)
    targets = mixed.targets["label"]
    expected = targets.share * targets.value + (1 - targets.share) * targets.other
    assert 0 <= targets.share <= 1
    torch.testing.assert_close(tensor(mixed.inputs["facts"])[:, 0], expected, atol=1e-5, rtol=0)
    photo = tensor(mixed.inputs["photo"])
    if cut:
        own, others = (each[:, None, None, None] for each in (targets.value, targets.other))
        assert bool(((photo == own) | (photo == others)).all())
    torch.testing.assert_close(photo.mean((1, 2, 3)), expected, atol=1e-4, rtol=0)
    assert sorted(targets.other.tolist()) == list(range(rows))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7), min_size=1))
def test_rows_are_mixed_with_rows_that_lack_the_same(seed: int, absent: set[int], labelled: set[int]) -> None:
    before = batch(8, sorted(absent), sorted(labelled))
    mixed = Mixing(0.5, 0, [])(before, seed)
    facts, targets = mixed.inputs["facts"], mixed.targets["label"]
    assert facts.present is before.inputs["facts"].present
    assert targets.rows is before.targets["label"].rows
    assert all(float(tensor(facts)[row].abs().sum()) == 0 for row in absent)
    for value, other in zip(targets.value.tolist(), targets.other.tolist(), strict=True):
        assert (value in absent) == (other in absent)
        assert int(other) in labelled
    expected = targets.share * targets.value + (1 - targets.share) * targets.other
    photo = tensor(mixed.inputs["photo"])[sorted(labelled), 0, 0, 0]
    torch.testing.assert_close(photo, expected, atol=1e-5, rtol=0)


def test_the_seed_alone_decides() -> None:
    mixing, before = Mixing(0.3, 1.0, ["photo"]), batch(6)
    one, same, other = (tensor(mixing(before, seed).inputs["photo"]) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(tensor(before.inputs["photo"]), tensor(batch(6).inputs["photo"]))


def test_both_ways_come_and_shares_are_spread() -> None:
    mixing, cuts, shares = Mixing(1.0, 1.0, ["photo"]), 0, []
    for seed in range(200):
        mixed = mixing(batch(5), seed)
        shares.append(mixed.targets["label"].share)
        photo = tensor(mixed.inputs["photo"])
        cuts += bool((photo == photo.round()).all())
    assert 70 < cuts < 130
    assert 0.2 < float(np.std(shares)) < 0.4


@pytest.mark.parametrize(
    "values",
    [
        Values([torch.zeros(1, 2, 2), torch.zeros(1, 3, 3)]),
        Values(torch.zeros(2, 4), torch.tensor([4, 2])),
        Values(torch.zeros(2, 4, dtype=torch.long)),
    ],
)
def test_values_that_have_no_average(values: Values) -> None:
    with pytest.raises(UsageError, match=r"need values of one size, and those of `inputs.photo`"):
        Mixing(1.0, 0, [])(replace(batch(2), inputs={"photo": values}), 0)


def test_the_loss_of_a_mixture_is_that_of_soft_labels(tmp_path: Path) -> None:
    """Cross-entropy with shares of two labels is that with probabilities (Zhang et al. 2018)."""
    model = build(write_tables(tmp_path)).eval()
    learning, _ = training(model, open_rows(model.spec))
    mixed = Mixing(1.0, 0, [])(next(learning.epoch(1)).batch, 3)
    result, targets = model(mixed), mixed.targets["kind"]
    soft = targets.share * F.one_hot(targets.value, 2) + (1 - targets.share) * F.one_hot(targets.other, 2)
    torch.testing.assert_close(result.losses["kind"], F.cross_entropy(result.outputs["kind"], soft))
    assert 0 < targets.share < 1
