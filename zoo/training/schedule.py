"""How the learning rate goes over a training."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from zoo.spec.sections import Train


def make_schedule(optimizer: Optimizer, train: Train, steps: int) -> LRScheduler:
    """The schedule that the spec names, over all steps.

    The rate rises linearly in the warm-up to that of each group, then goes as `factor` says. `one-cycle` (Smith and
    Topin 2019) rises along a cosine from a 25th of it and falls to a ten-thousandth of where it began, the momentum
    going the other way, from 0.95 to 0.85 and back.

    Args:
        optimizer: Whose rates these are.
        train: What the spec says.
        steps: Steps of the whole training.
    """
    if train.schedule == "one-cycle":
        rates = [group["lr"] for group in optimizer.param_groups]
        total = max(4, steps)  # the cycle needs a step up and one down
        rising = min(max(train.warm_up, 2 / total), 1 - 1 / total)
        return OneCycleLR(optimizer, max_lr=rates, total_steps=total, pct_start=rising)
    return LambdaLR(optimizer, lambda step: factor(train.schedule, train.warm_up, step, steps))


def factor(schedule: str, warm_up: float, step: int, steps: int) -> float:
    """What the rate of a step is, relative to the highest.

    Args:
        schedule: `cosine`, `linear` or `constant`.
        warm_up: Share of the steps in which the rate rises.
        step: From 0.
        steps: Of the whole training.
    """
    rising = max(1, round(steps * warm_up)) if warm_up else 0
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    if schedule == "constant":
        return 1.0
    return 1 - done if schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
