"""Backbones that hold all laws but one each; `test_kit.py` tells which."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo import Features, FeatureSpec, Values, option
from zoo.contract import Adapted, Backbone, BackboneContext
from zoo.features import masked_mean

DIM = 6


class Good(Backbone):
    """Sequences through one layer, with all that can go wrong: dropout, statistics, and a buffer in no checkpoint."""

    scale: Tensor

    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__()
        self.linear, self.norm, self.dropout = nn.Linear(3, DIM), nn.BatchNorm1d(DIM), nn.Dropout(0.5)
        self.register_buffer("scale", torch.empty(DIM), persistent=False)
        self.restore_buffers()
        self.features = FeatureSpec(dim=DIM, pooled_dim=DIM)
        self.prepare = torch.as_tensor

    def restore_buffers(self) -> None:
        self.scale.fill_(2)

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        mask = values.mask
        data = values.data.float() if mask is None else values.data.float().masked_fill(~mask[..., None], 0)
        tokens = self.dropout(self.linear(data) * self.scale)
        return Features(tokens, self.norm(self.pooled(tokens, mask)), mask)

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(tokens, mask)

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 12, 3))

    def layer_groups(self) -> list[list[str]]:
        return [list(self.state_dict())]


class Unbuildable(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        raise RuntimeError("it cannot be")


class Infinite(Good):
    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(tokens, mask) / 0


class Restless(Good):
    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return F.dropout(masked_mean(tokens, mask))


class Gambling(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        nn.init.constant_(self.linear.weight, random.random())


class Secretive(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.offset = torch.randn(DIM)

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(tokens, mask) + self.offset


class Heavy(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.register_buffer("table", torch.from_numpy(np.zeros(3)))


class Forgetful(Good):
    """It fills its buffer where it is made, and not where it must be filled again."""

    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.scale.fill_(2)

    def restore_buffers(self) -> None:
        pass


class Counting(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        self.get_buffer("passes").add_(1)
        return masked_mean(tokens, mask)


class Headstrong(Good):
    """It remembers the mode that it was told, not the one that it is in."""

    loud = False

    def train(self, mode: bool = True) -> "Headstrong":
        self.loud = mode
        super().train(mode)
        return self

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return F.dropout(masked_mean(tokens, mask), training=self.loud)


class Idle(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.spare = nn.Linear(2, 2)


class Steep(Good):
    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(tokens, mask) + (tokens[:, 0] * 0).sqrt()


@dataclass(frozen=True, kw_only=True)
class Width:
    width: int = option(0, "Width.")


class Degenerate(Good):
    def __init__(self, options: Width, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.share = 1 / options.width


@dataclass(frozen=True, kw_only=True)
class Inner:
    silent: int = option(1)


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: list[Inner] = option([], "Documented.")


class Boastful(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.features = FeatureSpec(dim=DIM, pooled_dim=DIM + 1)


class Precise(Good):
    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 12, 3, dtype=torch.float64))


class Brief(Good):
    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 11, 3))


class Lacking(Good):
    def layer_groups(self) -> list[list[str]]:
        return [["linear.weight"], [*self.norm.state_dict(prefix="norm.")]]


class Repeating(Good):
    def layer_groups(self) -> list[list[str]]:
        return [list(self.state_dict()), ["linear.weight"]]


class Copying(Good):
    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        return Adapted({name: tensor.clone() for name, tensor in state.items()})


class Dropping(Good):
    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        return Adapted({name: tensor for name, tensor in state.items() if "norm" not in name})


class Clinging(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.prepare = self.prepared

    def prepared(self, value: Any) -> Tensor:
        return torch.as_tensor(value)


class Unpicklable(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        self.prepare = lambda value: torch.as_tensor(value)


class Misfiled(Good):
    def __init__(self, options: Any, context: BackboneContext) -> None:
        super().__init__(options, context)
        kept = context.files.path("share.txt") if context.files else None
        self.share = float(kept.read_text()) if kept else 1.0

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return masked_mean(tokens, mask) * self.share

    def files(self) -> Mapping[str, str]:
        return {"share.txt": "3.0"}


class Sociable(Good):
    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        pooled = masked_mean(tokens, mask)
        return pooled - 0.5 * pooled.mean(0)


class Unmasked(Good):
    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return tokens.mean(1)


class Peeking(Good):
    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        features = super().forward(values)
        return Features(features.tokens, features.pooled + 1e-3 * values.data[:, -1].mean(1)[:, None], features.mask)


class Shy(Good):
    """Its own statistics cannot be had of one row."""

    def pooled(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        return F.batch_norm(masked_mean(tokens, mask), torch.zeros(DIM), torch.ones(DIM), training=self.training)


class Doubled(Good):
    """Where no row has the input, its features are of another type than those that it gives."""

    def forward(self, values: Values) -> Features:
        features = super().forward(values)
        return Features(features.tokens.double(), features.pooled.double(), features.mask)


class Encoding(Good):
    """What it encodes is not what it does."""

    def embed(self, values: Values) -> tuple[Tensor, Tensor | None]:
        assert isinstance(values.data, Tensor)
        return self.linear(values.data), values.mask

    def encode(self, tokens: Tensor, mask: Tensor | None = None, keep: Tensor | None = None) -> Features:
        return Features(tokens, masked_mean(tokens, mask), mask)


class Mute(Encoding):
    """It declares to write and has no letters."""

    end_token = 10

    def logits(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        return tokens
