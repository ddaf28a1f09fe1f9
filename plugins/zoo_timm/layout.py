"""Which shapes a network gives, learnt on the meta device: nothing is computed, no weight is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

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


def layout_of(network: nn.Module, request: Request) -> Layout:
    """Runs a network on the meta device, and looks at the shapes.

    Where all blocks have one shape, as in a ViT, only the first one is run.
    """
    stages = stages_of(network)[: request.options.depth]
    alike = len(set(stages)) == 1
    traced = _Traced(network, [0] if alike else list(range(len(stages))), alike)
    places = {name: each.to("meta") for name, each in (*traced.named_parameters(), *traced.named_buffers())}
    with torch.device("meta"), torch.no_grad():
        network.eval()
        trunk, maps, pooled = functional_call(traced, places, (torch.empty(1, request.channels, *request.size),))
        network.train()
    levels = _levels([stride for _, stride in stages])
    prefix = getattr(network, "num_prefix_tokens", None) or 0
    channels_last = getattr(network, "output_fmt", None) == "NHWC"
    last = maps[-1]
    tokens = tokens_of(trunk, prefix, channels_last) if isinstance(trunk, Tensor) else None
    has_tokens = tokens is not None and tokens.shape[1] == last.shape[2] * last.shape[3]
    tokens = tokens if has_tokens and tokens is not None else tokens_of(last, 0, False)
    width = tokens.shape[-1]
    return Layout(
        features=FeatureSpec(
            dim=width,
            pooled_dim=width if pooled is None else pooled.shape[1],
            tokens=tokens.shape[1],
            maps=_maps(stages, levels),
        ),
        stages=len(stages),
        levels=levels,
        prefix=prefix,
        channels_last=channels_last,
        has_tokens=has_tokens,
        has_head=pooled is not None,
    )


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
    return ((channels, stride // 2), (channels, stride), (channels, stride * 2))


class _Traced(nn.Module):
    """Runs a network up to some of its stages."""

    def __init__(self, network: nn.Module, indices: list[int], early: bool) -> None:
        super().__init__()
        self.network, self.indices, self.early = network, indices, early

    def forward(self, pictures: Tensor) -> tuple[Any, list[Tensor], Tensor | None]:
        """What comes out of the trunk, the stages' maps, and what the head pools; None where it cannot."""
        trunk, maps = self.network.forward_intermediates(pictures, indices=self.indices, stop_early=self.early)
        try:
            pooled = self.network.forward_head(trunk, pre_logits=True)
        except (AssertionError, NotImplementedError, TypeError):
            return trunk, maps, None
        return trunk, maps, pooled if pooled.ndim == 2 else None
