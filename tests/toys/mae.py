"""A masked autoencoder (He et al. 2022): the encoder sees a quarter of the patches, a decoder paints the rest."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.toys.basic import SIDE, names
from tests.toys.declarations import Masked, Patches
from zoo import FeatureSpec
from zoo.contract import Backbone, BackboneContext, Head, HeadContext
from zoo.features import Features, Reading, Values

PATCH = 4
"""Side of a patch, in pixels."""


def patches(pictures: Tensor) -> Tensor:
    """(batch, channels, height, width) to (batch, tokens, pixels)."""
    tiles = pictures.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
    return tiles.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def build_vit(options: Patches, context: BackboneContext) -> "Transformer":
    return Transformer(options)


class Block(nn.Module):
    """Attention of one head and a layer, each beside a shortcut."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm, self.qkv = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, tokens: Tensor, keys: Tensor | None = None) -> Tensor:
        query, key, value = self.qkv(self.norm(tokens)).chunk(3, -1)
        tokens = tokens + nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=keys)
        mixed: Tensor = tokens + self.mlp(tokens)
        return mixed


class Transformer(Backbone):
    """A vision transformer of one block; pooled is the mean of the patches."""

    def __init__(self, options: Patches) -> None:
        super().__init__()
        count = (SIDE // PATCH) ** 2
        self.embedding = nn.Linear(3 * PATCH**2, options.dim)
        self.positions = nn.Parameter(torch.randn(count, options.dim) * 0.02)
        self.block = Block(options.dim)
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim, tokens=count)
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        return self.encode(*self.embed(values))

    def embed(self, values: Values) -> tuple[Tensor, None]:
        assert isinstance(values.data, Tensor)
        return self.embedding(patches(values.data)) + self.positions, None

    def encode(self, tokens: Tensor, mask: Tensor | None = None, keep: Tensor | None = None) -> Features:
        if keep is not None:
            tokens = tokens.gather(1, keep[..., None].expand(-1, -1, tokens.shape[2]))
        tokens = self.block(tokens)
        return Features(tokens, tokens.mean(1))

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 3, SIDE, SIDE))

    def layer_groups(self) -> list[list[str]]:
        return names(self, "embedding.", "positions", "block.")


def build(options: Masked, context: HeadContext) -> "Painter":
    return Painter(options, context)


class Painter(Head):
    """Paints the patches that the encoder did not see."""

    def __init__(self, options: Masked, context: HeadContext) -> None:
        super().__init__()
        (self.input,) = context.inputs
        spec = context.inputs[self.input]
        assert spec.tokens is not None
        self.kept = round(spec.tokens * (1 - options.mask))
        self.hidden = nn.Parameter(torch.zeros(spec.dim))
        self.positions = nn.Parameter(torch.randn(spec.tokens, spec.dim) * 0.02)
        self.block, self.pixels = Block(spec.dim), nn.Linear(spec.dim, 3 * PATCH**2)

    def forward(self, reading: Reading, targets: Any = None) -> dict[str, Tensor]:
        values, backbone = reading.batch.inputs[self.input], reading.backbones[self.input]
        assert isinstance(values.data, Tensor)
        tokens, mask = backbone.embed(values)
        keep = self._chosen(len(tokens), tokens.shape[1])
        index = keep[..., None].expand(-1, -1, tokens.shape[2])
        seen = backbone.encode(tokens, mask, keep).tokens
        whole = self.hidden.expand_as(tokens).scatter(1, index, seen) + self.positions
        masked = torch.ones(tokens.shape[:2], dtype=torch.bool).scatter(1, keep, False)
        return {"pixels": self.pixels(self.block(whole)), "wanted": patches(values.data), "masked": masked}

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        masked = outputs["masked"]
        missed: Tensor = outputs["pixels"][masked] - outputs["wanted"][masked]
        return missed.square().mean()

    def decode(self, outputs: Any) -> list[Any]:
        """Each row's error where it could not see."""
        errors = (outputs["pixels"] - outputs["wanted"]).square().mean(2).masked_fill(~outputs["masked"], 0)
        told: list[Any] = (errors.sum(1) / outputs["masked"].sum(1)).tolist()
        return told

    def _chosen(self, rows: int, tokens: int) -> Tensor:
        """Tokens that are seen: at random in training; in eval the same ones whenever, whatever is in the batch."""
        if self.training:
            return torch.rand(rows, tokens).argsort(1)[:, : self.kept]
        order = torch.randperm(tokens, generator=torch.Generator().manual_seed(0))
        return order[: self.kept].expand(rows, -1)
