"""What a backbone declares to provide, it does."""

from collections.abc import Iterator
from contextlib import suppress
from math import ceil

import torch
from torch import Tensor

from zoo.contract import Backbone
from zoo.errors import UsageError
from zoo.testing.backbones import BackboneTrial
from zoo.testing.compare import CLOSE, differences, rows_of


def abilities_are_there(trial: BackboneTrial) -> Iterator[str]:
    """Each of `stages`, `maps`, `encode` and `generate` that the component provides is there and has its shapes.

    A family declares what some of its members can do; another may refuse with a UsageError.
    """
    backbone, component = trial.build().eval(), trial.case.registered.component
    refused = (UsageError,) if component.family else ()
    able = {"stages": _stages, "maps": _maps, "encode": _encode, "generate": _generate}
    for ability, law in able.items():
        if ability in component.provides:
            with torch.no_grad(), suppress(*refused):
                yield from law(trial, backbone)


LAWS = (abilities_are_there,)


def _stages(trial: BackboneTrial, backbone: Backbone) -> Iterator[str]:
    stages = backbone.stages(trial.values)
    if not stages:
        yield "`stages` gives none"
    for depth, stage in enumerate(stages):
        if stage.ndim != 2 or len(stage) != len(trial.values):
            yield f"stage {depth} is {list(stage.shape)}; expected (batch, dim)"


def _maps(trial: BackboneTrial, backbone: Backbone) -> Iterator[str]:
    told = backbone.features.maps
    example = backbone.example(2)
    assert isinstance(example.data, Tensor)
    found = backbone.pyramid(example).maps
    if not told or len(told) != len(found):
        yield f"`features.maps` tells {len(told)} maps; `pyramid` gives {len(found)}"
        return
    for (channels, stride), level in zip(told, found, strict=True):
        sides = [{side // stride, ceil(side / stride)} for side in example.data.shape[-2:]]
        shaped = all(side in allowed for side, allowed in zip(level.shape[2:], sides, strict=True))
        if tuple(level.shape[:2]) != (2, channels) or not shaped:
            yield f"a map of stride {stride} with {channels} channels is {list(level.shape)}"


def _encode(trial: BackboneTrial, backbone: Backbone) -> Iterator[str]:
    values = trial.values
    tokens, mask = backbone.embed(values)
    whole, again = backbone(values), backbone.encode(tokens, mask)
    for row in range(len(values)):
        for difference in differences(rows_of(whole, row), rows_of(again, row), CLOSE):
            yield f"`encode(*embed(values))` is not `forward`: {difference}"
    kept = max(1, tokens.shape[1] // 4)
    some = backbone.encode(tokens, mask, torch.arange(kept).expand(len(values), -1))
    if some.tokens.shape[:2] != (len(values), kept):
        yield f"`encode` with {kept} tokens to keep gives {list(some.tokens.shape)}"


def _generate(trial: BackboneTrial, backbone: Backbone) -> Iterator[str]:
    tokens, mask = backbone.embed(trial.values)
    scores = backbone.logits(tokens, mask)
    if scores.ndim != 3 or scores.shape[:2] != tokens.shape[:2]:
        yield f"`logits` of tokens {list(tokens.shape)} are {list(scores.shape)}; expected (batch, tokens, vocabulary)"
    elif not 0 <= backbone.end_token < scores.shape[2]:
        yield f"`end_token` is {backbone.end_token}, of a vocabulary of {scores.shape[2]}"
    if not isinstance(backbone.text(scores[0].argmax(-1).tolist()), str):
        yield "`text` gives no text"
