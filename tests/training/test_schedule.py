"""How the learning rate goes: golden numbers for each schedule, and for the shortest trainings."""

import math

import pytest
import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from zoo.spec.sections import Train
from zoo.training.schedule import make_schedule


def optimizer() -> AdamW:
    return AdamW([nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(train: Train, steps: int) -> list[float]:
    made = optimizer()
    schedule, found = make_schedule(made, train, steps), []
    for _ in range(steps):
        found.append(float(schedule.get_last_lr()[0]))
        made.step()
        schedule.step()
    return found


def test_the_rate_rises_for_a_tenth_and_falls_along_half_a_cosine() -> None:
    found = rates(Train(), 40)
    assert found[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert found[4:] == pytest.approx([0.5 * (1 + math.cos(math.pi * step / 36)) for step in range(36)])


def test_it_falls_along_a_line_or_stays() -> None:
    assert rates(Train(schedule="linear", warm_up=0.2), 10) == pytest.approx(
        [0.5, 1, *(1 - step / 8 for step in range(8))]
    )
    assert rates(Train(schedule="constant", warm_up=0.2), 10) == pytest.approx([0.5, *[1.0] * 9])
    assert rates(Train(schedule="constant", warm_up=0), 3) == [1.0] * 3


def test_one_cycle_is_torchs_own_with_its_momentum() -> None:
    made, other = optimizer(), optimizer()
    ours = make_schedule(made, Train(schedule="one-cycle", warm_up=0.3), 20)
    theirs = OneCycleLR(other, max_lr=1.0, total_steps=20, pct_start=0.3)
    for _ in range(20):
        assert ours.get_last_lr() == theirs.get_last_lr()
        assert made.param_groups[0]["betas"] == other.param_groups[0]["betas"]
        for each in (made, other):
            each.step()
        if theirs.last_epoch < 19:
            ours.step()
            theirs.step()


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant", "one-cycle"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_training_has_a_rate_too(schedule: str, steps: int) -> None:
    found = rates(Train(schedule=schedule), steps)  # type: ignore[arg-type]  # one of the four
    assert len(found) == steps and max(found) > 0.03
