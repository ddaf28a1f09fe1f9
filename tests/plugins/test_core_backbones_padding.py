"""Padding and missing numbers change nothing (law 4)."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.plugins.core_backbones import build
from zoo.features import Features, Values

READERS = {name: build(name) for name in ("gru", "gru of one direction", "sequence-transformer")}
GARBAGE = [float("nan"), float("inf"), -3e38, 1.0]
readers = st.sampled_from(sorted(READERS))
lengths = st.lists(st.integers(1, 7), min_size=1, max_size=4)


def padded(steps: list[Tensor], padding: int, filling: float = 0) -> Values:
    data = torch.full((len(steps), max(map(len, steps)) + padding, 3), float(filling))
    for row, each in zip(data, steps, strict=True):
        row[: len(each)] = each
    return Values(data, torch.tensor([len(each) for each in steps]))


def steps(lengths: list[int]) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(length, 3) for length in lengths]


def real(features: Features) -> Tensor:
    assert features.mask is not None
    return features.tokens[features.mask]


@settings(max_examples=60, deadline=None)
@given(readers, lengths, st.integers(0, 5))
def test_how_much_padding_there_is_changes_nothing(name: str, lengths: list[int], padding: int) -> None:
    backbone = READERS[name]
    tight, wide = (backbone(padded(steps(lengths), each)) for each in (0, padding))
    torch.testing.assert_close(wide.pooled, tight.pooled, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(real(wide), real(tight), rtol=1e-5, atol=1e-6)
    for deep, shallow in zip(*(backbone.stages(padded(steps(lengths), each)) for each in (0, padding)), strict=True):
        torch.testing.assert_close(deep, shallow, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(readers, lengths, st.integers(1, 5), st.sampled_from(GARBAGE))
def test_what_stands_under_padding_changes_not_one_bit(
    name: str, lengths: list[int], padding: int, filling: float
) -> None:
    backbone = READERS[name]
    found = []
    for each in (0, filling):
        backbone.zero_grad()
        features = backbone(padded(steps(lengths), padding, each))
        (features.pooled.sum() + real(features).square().sum()).backward()
        found.append([features.pooled, features.tokens, *(parameter.grad for parameter in backbone.parameters())])
    assert all(torch.equal(left, right) for left, right in zip(*found, strict=True))
    assert all(each.isfinite().all() for each in found[1])


def test_no_lengths_are_full_lengths() -> None:
    data = torch.randn(2, 6, 3)
    for backbone in READERS.values():
        full = backbone(Values(data, torch.tensor([6, 6])))
        torch.testing.assert_close(backbone(Values(data)).pooled, full.pooled)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_missing_numbers_give_finite_outputs_and_gradients(data: st.DataObject) -> None:
    backbone = build("mlp").train()
    missing = torch.tensor(data.draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=4)))
    rows = torch.ones(missing.shape).masked_fill(missing, float("nan"))
    features = backbone(Values(rows))
    assert features.pooled.isfinite().all()
    features.pooled.square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in backbone.parameters() if parameter.grad is not None)
