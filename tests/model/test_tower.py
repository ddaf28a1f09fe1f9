"""What stands in absent rows and how rows are grouped reaches nothing: laws 3 and 4 where a backbone is run."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract import Backbone
from zoo.features import Features, Values, masked_mean
from zoo.model.tower import run_tower

WIDTH, DIM = 3, 5


class Tower(Backbone):
    """A BatchNorm over the mean of the steps; notes how many steps and rows every call sees."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(WIDTH, DIM), nn.BatchNorm1d(DIM)
        self.features = FeatureSpec(dim=DIM, pooled_dim=DIM, maps=((DIM, 1),))
        self.prepare = torch.as_tensor
        self.seen: list[tuple[int, ...]] = []

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        self.seen.append(tuple(values.data.shape[:2]))
        tokens = self.linear(values.data)
        pooled = self.norm(masked_mean(tokens, values.mask))
        return Features(tokens, pooled, values.mask, (tokens.transpose(1, 2)[..., None],))

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 4, WIDTH))

    def layer_groups(self) -> list[list[str]]:
        return [list(self.state_dict())]


class Exact(Tower):
    """One that padding would change: it divides by the steps that it sees, real or not."""

    padding = "exact"

    def forward(self, values: Values) -> Features:
        features = super().forward(Values(values.data))
        return Features(features.tokens, features.pooled)


def tower(make: Callable[[], Backbone] = Tower) -> Backbone:
    torch.manual_seed(0)
    return make()


def parts(features: Features) -> list[Tensor]:
    assert features.mask is not None
    return [features.tokens, features.pooled, features.mask, *features.maps]


present_rows = st.lists(st.booleans(), min_size=2, max_size=6)


@settings(deadline=None, max_examples=40)
@given(present_rows, st.sampled_from([float("nan"), float("inf"), 1e30, -3.0]), st.booleans())
def test_what_stands_in_an_absent_row_changes_no_bit(present: list[bool], garbage: float, training: bool) -> None:
    there = torch.tensor(present)
    clean = torch.randn(len(present), 4, WIDTH, generator=torch.Generator().manual_seed(1))
    clean[~there] = 0
    dirty = clean.clone()
    dirty[~there] = garbage
    outputs = []
    for data in (clean, dirty):
        backbone = tower().train(training)
        features = run_tower(backbone, backbone, Values(data, present=there))
        assert features.present.tolist() == present
        outputs.append([*parts(features), *backbone.state_dict().values()] if not there.all() else [features.pooled])
    for expected, got in zip(*outputs, strict=True):
        assert torch.equal(expected, got)
        assert not got.isnan().any()


@settings(deadline=None, max_examples=25)
@given(present_rows)
def test_absent_rows_are_zeros_and_the_others_what_they_are_alone(present: list[bool]) -> None:
    there = torch.tensor(present)
    data = torch.randn(len(present), 4, WIDTH)
    backbone = tower().eval()
    features = run_tower(backbone, backbone, Values(data, present=there))
    for each in (features.tokens, features.pooled, *features.maps):
        assert not each[~there].any()
    if there.any():
        torch.testing.assert_close(features.pooled[there], backbone(Values(data[there])).pooled)


def test_absent_rows_reach_no_batch_norm_statistic() -> None:
    data, there = torch.randn(6, 4, WIDTH), torch.tensor([True, False, True, True, False, True])
    mixed, alone = tower(), tower()
    run_tower(mixed, mixed, Values(data, present=there))
    alone(Values(data[there]))
    for name, expected in alone.state_dict().items():
        assert torch.equal(mixed.state_dict()[name], expected), name
    assert mixed.state_dict()["norm.num_batches_tracked"] == 1


def test_without_any_row_the_backbone_is_not_run() -> None:
    backbone = tower()
    nowhere = Values(torch.full((3, 4, WIDTH), torch.nan), present=torch.zeros(3, dtype=torch.bool))
    features = run_tower(backbone, backbone, nowhere)
    assert isinstance(backbone, Tower)
    assert backbone.seen == []
    assert not features.present.any()
    assert [tuple(each.shape) for each in parts(features)] == [(3, 1, DIM), (3, DIM), (3, 1), (3, DIM, 1, 1)]
    assert not any(each.any() for each in parts(features))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_rows_of_an_exact_backbone_run_with_their_equals_alone(lengths: list[int]) -> None:
    data = torch.randn(len(lengths), max(lengths), WIDTH)
    backbone = tower(Exact).eval()
    assert isinstance(backbone, Exact)
    without_maps = run_tower(backbone, backbone, Values(data, torch.tensor(lengths)))
    assert sorted(backbone.seen) == sorted((lengths.count(length), length) for length in set(lengths))
    for row, length in enumerate(lengths):
        alone = backbone(Values(data[row : row + 1, :length]))
        torch.testing.assert_close(without_maps.pooled[row], alone.pooled[0])
        torch.testing.assert_close(without_maps.tokens[row, :length], alone.tokens[0])
        mask = [True] * length + [False] * (max(lengths) - length)
        assert without_maps.mask is None or without_maps.mask[row].tolist() == mask


def test_rows_of_a_masked_backbone_run_together() -> None:
    backbone = tower().eval()
    assert isinstance(backbone, Tower)
    run_tower(backbone, backbone, Values(torch.randn(3, 4, WIDTH), torch.tensor([4, 1, 2])))
    assert backbone.seen == [(3, 4)]


def test_present_rows_are_cut_to_the_longest_of_them() -> None:
    backbone = tower().eval()
    assert isinstance(backbone, Tower)
    present = torch.tensor([False, True, True])
    run_tower(backbone, backbone, Values(torch.randn(3, 4, WIDTH), torch.tensor([4, 1, 2]), present))
    assert backbone.seen == [(2, 2)]


@pytest.mark.parametrize("lengths", [None, torch.tensor([4, 2])])
def test_one_row_trains_with_the_statistics_so_far(lengths: Tensor | None) -> None:
    backbone = tower(Exact)
    before = {name: each.clone() for name, each in backbone.state_dict().items()}
    present = torch.tensor([True, lengths is not None])
    features = run_tower(backbone, backbone, Values(torch.randn(2, 4, WIDTH), lengths, present))
    assert features.pooled.isfinite().all()
    assert all(module.training for module in backbone.modules())
    assert all(torch.equal(before[name], each) for name, each in backbone.state_dict().items())


def test_a_backbone_that_raises_on_one_row_stays_in_training() -> None:
    backbone = tower()

    def fail(values: Values) -> Features:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        run_tower(backbone, fail, Values(torch.randn(1, 4, WIDTH)))
    assert all(module.training for module in backbone.modules())


def test_gradients_flow_through_the_rows_that_are_there() -> None:
    backbone = tower()
    present = torch.tensor([True, False, True, True])
    features = run_tower(backbone, backbone, Values(torch.randn(4, 4, WIDTH), present=present))
    torch.autograd.backward(features.pooled.square().sum() + features.tokens.sum())
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in backbone.parameters())
