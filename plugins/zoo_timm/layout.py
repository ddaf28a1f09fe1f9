"""Which shapes a network gives, learnt on the meta device: nothing is computed, no weight is needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo import FeatureSpec
from zoo_timm.network import Request, stages_of

FINEST = 4
"""Smallest stride of a pyramid's maps, in pixels; finer ones cost more than they tell."""


@dataclass(frozen=True)
class Layout:
    """What a network gives, and where it stands.

    Args:
        features: Shapes of what the backbone gives.
        stages: How many stages (or blocks) the network has.
        levels: Which of them give a map to the pyramid.
        prefix: How many of its tokens are no places of the picture: class, register, distillation tokens.
        channels_last: Whether its maps are `(batch, height, width, channels)`.
        has_tokens: Whether what comes out of it has the places of the last stage. Of others (several sequences at
            once, a class token alone) the last stage's map is taken.
        has_head: Whether it pools itself.
    """

    features: FeatureSpec
    stages: int
    levels: tuple[int, ...]
    prefix: int
    channels_last: bool
    has_tokens: bool
    has_head: bool

    @property
    def has_one_stride(self) -> bool:
        """Whether all maps have the same stride, as in a ViT."""
        return len(self.levels) == 1


def layout_of(network: Any, request: Request) -> Layout:
    """Runs a network on the meta device, and looks at the shapes.

    Where all blocks have one shape, as in a ViT, only the first one is run.

    Raises:
        ValueError: It has no head that could pool as it is told to, or cannot be cut where it is told to.
        Exception: Of any other kind: it does not take pictures of this size.
    """
    stages = stages_of(network)[: request.options.depth]
    levels = _levels([stride for _, stride in stages])
    prefix = getattr(network, "num_prefix_tokens", None) or 0
    channels_last = getattr(network, "output_fmt", None) == "NHWC"
    trunk, last, pooled = _traced(network, request, stages)
    tokens = tokens_of(last, prefix=0, channels_last=False)
    own = tokens_of(trunk, prefix, channels_last) if isinstance(trunk, Tensor) else None
    has_tokens = own is not None and own.shape[1] == tokens.shape[1]
    width = own.shape[2] if has_tokens and own is not None else tokens.shape[2]
    if pooled is None and request.options.pool != "auto":
        raise ValueError("it has no head that pools")
    pooled_width = width if pooled is None else pooled.shape[1]
    features = FeatureSpec(width, pooled_width, tokens.shape[1], _maps(stages, levels))
    return Layout(features, len(stages), levels, prefix, channels_last, has_tokens, pooled is not None)


def tokens_of(trunk: Tensor, prefix: int, channels_last: bool) -> Tensor:
    """The places of a picture as `(batch, tokens, dim)`, from a map or from tokens behind a prefix."""
    if trunk.ndim == 3:
        return trunk[:, prefix:]
    return trunk.flatten(1, 2) if channels_last else trunk.flatten(2).transpose(1, 2)


def _levels(strides: Sequence[int]) -> tuple[int, ...]:
    """The deepest stage of each stride, finest first."""
    deepest = {stride: stage for stage, stride in enumerate(strides)}
    return tuple(deepest[stride] for stride in sorted(deepest) if stride >= min(FINEST, max(strides)))


def _maps(stages: Sequence[tuple[int, int]], levels: Sequence[int]) -> tuple[tuple[int, int], ...]:
    if len(levels) > 1:
        return tuple(stages[level] for level in levels)
    channels, stride = stages[levels[0]]
    strides = (stride // 2, stride, stride * 2) if stride % 2 == 0 else (stride, stride * 2)
    return tuple((channels, each) for each in strides)


def _traced(network: Any, request: Request, stages: Sequence[Any]) -> tuple[Any, Tensor, Tensor | None]:
    """What comes out of the trunk, the last stage's map, and what the head pools: None where it cannot."""
    alike = len(stages) > 1 and len(set(stages)) == 1
    indices = [0] if alike else list(range(len(stages)))
    with torch.no_grad(), _on_meta(network), torch.device("meta"):
        pictures = torch.empty(1, request.channels, *request.size)
        try:
            trunk, maps = network.forward_intermediates(pictures, indices=indices, stop_early=alike)
        except RuntimeError as error:
            if "meta tensors" not in str(error):
                raise
            # Gemma's vision tower reads the numbers of its positions to know the grid, which are not there.
            channels, stride = stages[-1]
            height, width = (side // stride for side in request.size)
            trunk, maps = network.forward_features(pictures), [torch.empty(1, channels, height, width)]
        if len(maps) < len(indices):  # CrossViT's stages are those of one branch, and behind them those of the other
            raise ValueError(f"cut there, it has {len(maps)} of its first {len(indices)} stages")
        try:
            pooled = network.forward_head(trunk, pre_logits=True)
        except (AssertionError, NotImplementedError, TypeError):  # an encoder without a classifier
            pooled = None
    return trunk, maps[-1], pooled if isinstance(pooled, Tensor) and pooled.ndim == 2 else None


@contextmanager
def _on_meta(network: nn.Module) -> Iterator[None]:
    """Puts meta tensors in the places of all parameters and buffers, and evaluation in that of training, for a while.

    `torch.func.functional_call` would leave them there where a module stands in two places of a network (CoaT).
    """
    places_of_all: Any = [places for each in network.modules() for places in (each._parameters, each._buffers)]
    kept = [(places, dict(places)) for places in places_of_all]
    network.eval()
    try:
        for places, tensors in kept:
            places.update({name: each.to("meta") for name, each in tensors.items() if each is not None})
        yield
    finally:
        for places, tensors in kept:
            places.clear()
            places.update(tensors)
        network.train()
