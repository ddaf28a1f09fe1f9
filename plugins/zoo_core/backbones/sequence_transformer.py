"""Transformer encoder over time steps."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.component import FeatureSpec
from zoo.contract import Backbone, BackboneContext, ValueSpec
from zoo.features import Features, Values, masked_mean
from zoo_core.backbones.steps import example_steps, groups_of, real_steps, width_of
from zoo_core.declarations.backbones import SequenceTransformer


def build(options: SequenceTransformer, context: BackboneContext) -> "SequenceEncoder":
    """The encoder for the sequences that the context describes.

    Raises:
        UsageError: Their features are learnt from training rows, and there were none.
    """
    return SequenceEncoder(options, context.value)


class Block(nn.Module):
    """Self-attention and a feed-forward network four times as wide, each after a norm and beside a shortcut.

    torch's own encoder layer takes another path through its code in eval than in training; this one does not.

    Args:
        dim: Width of the tokens.
        heads: Attention heads.
        dropout: Of what is added to the shortcut.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.projection = nn.Linear(dim, dim)
        self.attention_dropout = nn.Dropout(dropout)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), nn.Dropout(dropout))

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None
    ) -> Float[Tensor, "batch tokens dim"]:
        """Tokens that have looked at the real ones among each other."""
        tokens = tokens + self.attention_dropout(self.projection(self._attended(self.attention_norm(tokens), mask)))
        added: Tensor = self.mlp(self.mlp_norm(tokens))
        return tokens + added

    def _attended(
        self, tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None
    ) -> Float[Tensor, "batch tokens dim"]:
        query, key, value = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        keys = None if mask is None else mask[:, None, None, :]
        return F.scaled_dot_product_attention(query, key, value, attn_mask=keys).transpose(1, 2).flatten(2)


class SequenceEncoder(Backbone):
    """Pre-norm transformer encoder with sinusoidal positions; pooled is the mean of the real tokens.

    Vaswani et al. 2017; the norm before each part and after the last as in Xiong et al. 2020.
    """

    def __init__(self, options: SequenceTransformer, value: ValueSpec) -> None:
        super().__init__()
        dim = options.dim
        self.embedding = nn.Linear(width_of(value), dim)
        self.layers = nn.ModuleList(Block(dim, options.heads, options.dropout) for _ in range(options.layers))
        self.norm = nn.LayerNorm(dim)
        self.value = value
        self.prepare = torch.as_tensor
        self.features = FeatureSpec(dim=dim, pooled_dim=dim)
        self._groups = self._grouped(options.layers)

    def forward(self, values: Values) -> Features:
        """A token for each step, and their mean."""
        return self.encode(*self.embed(values))

    def embed(self, values: Values) -> tuple[Float[Tensor, "batch steps dim"], Bool[Tensor, "batch steps"] | None]:
        """Steps with their positions, and which are real."""
        steps = real_steps(values)
        tokens = self.embedding(steps)
        return tokens + sinusoids(steps.shape[1], tokens), values.mask

    def encode(
        self,
        tokens: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        keep: Int[Tensor, "batch kept"] | None = None,
    ) -> Features:
        """Features of embedded steps, of those in `keep` alone where given.

        Args:
            tokens: From `embed`.
            mask: True at real steps; None: all are.
            keep: Steps that the encoder sees; the others are left out, as masked autoencoders do (He et al. 2022).
        """
        if keep is not None:
            tokens = tokens.gather(1, keep[..., None].expand(-1, -1, tokens.shape[2]))
            mask = None if mask is None else mask.gather(1, keep)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        tokens = self.norm(tokens)
        return Features(tokens, masked_mean(tokens, mask), mask)

    def stages(self, values: Values) -> list[Float[Tensor, "batch dim"]]:
        """The mean of the real tokens after each layer, all under the last norm."""
        tokens, mask = self.embed(values)
        means = []
        for layer in self.layers:
            tokens = layer(tokens, mask)
            means.append(masked_mean(self.norm(tokens), mask))
        return means

    def example(self, batch: int) -> Values:
        """Sequences of the greatest length."""
        return example_steps(self.value, batch)

    def layer_groups(self) -> list[list[str]]:
        """The embedding, then each layer; the last norm goes with the last layer."""
        return self._groups

    def _grouped(self, layers: int) -> list[list[str]]:
        blocks = [(f"layers.{depth}.",) for depth in range(layers - 1)]
        return groups_of(self, ("embedding.",), *blocks, (f"layers.{layers - 1}.", "norm."))


def sinusoids(steps: int, like: Float[Tensor, "batch steps dim"]) -> Float[Tensor, "steps dim"]:
    """Positions as sines and cosines of geometrically growing wavelengths (Vaswani et al. 2017, section 3.5).

    The sines stand before the cosines and not between them, which is the same but for the order of the channels.
    """
    dim = like.shape[-1]
    half = (dim + 1) // 2
    rates = 10_000 ** (-torch.arange(half, device=like.device) / half)
    angles = torch.arange(steps, device=like.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :dim].to(like.dtype)
