"""Modules that are built without memory, and an end to those that no weights could be of."""

import resource

import pytest
import torch
from torch import nn

from zoo.checkpoint.unallocated import Bounded
from zoo.errors import CorruptError


def test_what_weights_could_be_of_is_built() -> None:
    with Bounded(tensors=4, size=1000):
        made = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
        positions = torch.arange(512)
        torch.zeros(3, device="cpu").fill_(1)
    assert made[0].weight.is_meta and positions.tolist() == list(range(512))


def test_a_million_layers_are_not() -> None:
    with pytest.raises(CorruptError, match="many more tensors than the 4 "), Bounded(tensors=4, size=1000):
        nn.ModuleList(nn.Linear(3, 3) for _ in range(1_000_000))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.arange(2**36),
        lambda: torch.zeros(2**20, 2**20),
        lambda: torch.zeros(size=(2**40,)),
        lambda: torch.ones([2**40]),
        lambda: torch.full((2**40,), 1.0),
        lambda: torch.randn(1, 2**36),
        lambda: torch.linspace(0, 1, 2**36),
        lambda: torch.eye(2**20),
        lambda: torch.outer(torch.arange(2**20), torch.ones(32)),
        lambda: torch.zeros(1).repeat(2**25),
    ],
)
def test_what_would_take_the_memory_of_the_machine_is_not(make: object) -> None:
    assert callable(make)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CorruptError, match="far more than the weights"), Bounded(tensors=4, size=1000):
        make()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10
