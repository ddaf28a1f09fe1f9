"""AdamW with a rate for each part."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW

from zoo.component import Kind
from zoo.contract import Trainable
from zoo.model.model import ZooModel
from zoo.transfer.freeze import own_transfer, parts

PRETRAINED_RATE = 0.1
"""Rate of pretrained parts relative to new ones (Long et al. 2015)."""

STATES = 2
"""Numbers that AdamW keeps for each one that it moves: means of the gradient and of its square."""


def make_optimizer(model: ZooModel) -> AdamW:
    """AdamW (Loshchilov and Hutter 2019) over what the policies train.

    New parts have the spec's rate, and so has what the weights of a pretrained part lacked; the rest of it has a tenth.
    With `layer_decay` d, group l of L has d^(L+1-l) of that (BEiT, Bao et al. 2021). Norms, biases and other vectors
    have no weight decay; neither has what `l2_sp` pulls toward its start.
    """
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for part in parts(model):
        pulled = _strength(model, part) > 0
        for name, parameter, rate in _rates(model, part):
            free = parameter.ndim < 2 or (pulled and name not in part.new)
            decay = 0.0 if free else model.spec.train.weight_decay
            group = {"params": [], "lr": rate * model.spec.train.learning_rate, "weight_decay": decay}
            groups.setdefault((rate, decay), group)["params"].append(parameter)
    return AdamW(list(groups.values()), lr=model.spec.train.learning_rate, fused=True)


class Anchor:
    """Pulls pretrained weights toward their start, decoupled from the gradient: w <- w - rate * strength * (w - start).

    L2-SP (Li et al. 2018), which adds the pull to the loss; ours is to it what AdamW is to Adam. Used where a
    `transfer` has `l2_sp`.
    """

    def __init__(self, model: ZooModel, optimizer: torch.optim.Optimizer) -> None:
        rates = {id(each): group for group in optimizer.param_groups for each in group["params"]}
        self._pulls = [
            (parameter, parameter.detach().clone(), strength, rates[id(parameter)])
            for parameter, strength in anchored(model)
        ]

    @torch.no_grad()
    def pull(self) -> None:
        """One step toward the start, at the optimizer's present rates."""
        for parameter, start, strength, group in self._pulls:
            parameter.lerp_(start.to(parameter.device), min(1.0, group["lr"] * strength))


def anchored(model: ZooModel) -> Iterator[tuple[nn.Parameter, float]]:
    """The parameters that `l2_sp` pulls toward their start, each with the strength of the pull."""
    for part in parts(model):
        if strength := _strength(model, part):
            yield from ((each, strength) for name, each, _ in _rates(model, part) if name not in part.new)


def _rates(model: ZooModel, part: Trainable) -> Iterator[tuple[str, nn.Parameter, float]]:
    """The parameters of a part that are trained, by name, each with its rate relative to the spec's."""
    module = model.get_submodule(part.name)
    settled = part.kind is Kind.BACKBONE and (part.pretrained or part.chosen)
    decay = (own_transfer(model, part.name) or model.spec.transfer).layer_decay if settled else 1.0
    base = PRETRAINED_RATE if part.pretrained else 1.0
    for depth, names in enumerate(part.groups):
        for name in names:
            parameter = module.get_parameter(name)
            if parameter.requires_grad:
                yield name, parameter, 1.0 if name in part.new else base * decay ** (len(part.groups) - depth)


def _strength(model: ZooModel, part: Trainable) -> float:
    """How strongly the part is pulled toward its start; 0 for one that starts at random."""
    return (own_transfer(model, part.name) or model.spec.transfer).l2_sp if part.pretrained else 0.0
