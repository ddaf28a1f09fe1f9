"""What the meter counts without memory is what a run with memory takes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from zoo.planning.arithmetic import kernels_of
from zoo.planning.meter import ROWS, Amount, Meter

WIDTH = 24


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(WIDTH, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 5))


def convolutions() -> nn.Module:
    layers = nn.Sequential(nn.Conv1d(1, 8, 3, padding=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Conv1d(8, 4, 3))
    return nn.Sequential(nn.Unflatten(1, (1, WIDTH)), layers, nn.Flatten())


def attention() -> nn.Module:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return nn.Sequential(nn.Unflatten(1, (3, 8)), layer, nn.Flatten())


MODULES = pytest.mark.parametrize("make", [mlp, convolutions, attention])


def step(module: nn.Module, rows: int) -> None:
    torch.autograd.backward(module(torch.zeros(rows, WIDTH)).square().mean())
    module.zero_grad()


def metered(module: nn.Module, rows: int, marker: int | None) -> Meter:
    meter = Meter([*module.parameters(), *module.buffers()], marker)
    with meter:
        step(module, rows)
    return meter


def without_memory(make: Callable[[], nn.Module]) -> Meter:
    with torch.device("meta"), kernels_of("cpu"):
        return metered(make(), ROWS, ROWS)


@MODULES
@pytest.mark.parametrize("rows", [2, 16, 300])
def test_the_peak_of_any_batch_is_that_of_a_real_one(make: Callable[[], nn.Module], rows: int) -> None:
    real = metered(make(), rows, None).peak(rows)
    assert abs(without_memory(make).peak(rows) - real) <= 0.03 * real


@pytest.mark.parametrize("make", [mlp, convolutions])
def test_operations_are_those_that_torch_counts(make: Callable[[], nn.Module]) -> None:
    with FlopCounterMode(display=False) as counter:
        step(make(), 16)
    assert without_memory(make).operations.of(16) == counter.get_total_flops()


def test_operations_of_attention_are_those_of_a_real_run() -> None:
    """torch's own counter leaves out attention as a CPU computes it."""
    real = metered(attention(), 16, None).operations.of(16)
    assert without_memory(attention).operations.of(16) == real
    with FlopCounterMode(display=False) as counter:
        step(attention(), 16)
    assert real > counter.get_total_flops()


def test_what_is_let_go_is_counted_no_more() -> None:
    meter = Meter([], None)
    with meter:
        for _ in range(5):
            held = torch.zeros(1000)
        del held
        kept = torch.zeros(10)
    assert 4000 <= meter.peak(1) <= 8000
    assert len(kept) == 10


def test_views_take_nothing() -> None:
    meter = Meter([], None)
    with meter:
        whole = torch.zeros(100, 10)
        views: list[Tensor] = [whole.T, whole[3:], whole.view(-1), whole.expand(7, 100, 10)]
    assert meter.peak(1) == 4000
    assert len(views) == 4


def test_amounts_of_a_batch() -> None:
    assert (Amount(3, 2) + Amount(1, 5) - Amount(0, 1)).of(10) == 4 + 60
