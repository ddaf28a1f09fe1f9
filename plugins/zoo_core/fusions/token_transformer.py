"""Transformer over the tokens of all inputs."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.component import FeatureSpec
from zoo.contract import Fusion, FusionContext
from zoo.features import Features
from zoo_core.backbones.sequence_transformer import Block
from zoo_core.declarations.fusions import TokenTransformer
from zoo_core.fusions.pooled import projection

DEVIATION = 0.02
"""Standard deviation of the embeddings at the start, as in BERT and ViLT."""


def build(options: TokenTransformer, context: FusionContext) -> "TokenTransformerFusion":
    """The fusion of the inputs that the context describes."""
    return TokenTransformerFusion(options, context.inputs)


class TokenTransformerFusion(Fusion):
    """A pre-norm transformer over a learned summary token and the tokens of all inputs (ViLT, Kim et al. 2021).

    Tokens of each input are projected and normed, and marked with an embedding of their input; positions they have from
    their backbone. Padding and absent inputs are no keys of the attention. Pooled is the summary token behind the last
    norm, without ViLT's extra layer and tanh; tokens are all others, in the order of the spec.
    """

    def __init__(self, options: TokenTransformer, inputs: Mapping[str, FeatureSpec]) -> None:
        super().__init__()
        self.inputs = tuple(inputs)
        self.reads_pooled = options.reads == "pooled"
        read = [_single_shape(each) if self.reads_pooled else each for each in inputs.values()]
        self.projections = nn.ModuleList(projection(each.dim, options.dim) for each in read)
        self.types = nn.Parameter(torch.empty(len(inputs), options.dim))
        self.summary = nn.Parameter(torch.empty(1, 1, options.dim))
        nn.init.normal_(self.types, std=DEVIATION)
        nn.init.normal_(self.summary, std=DEVIATION)
        self.layers = nn.ModuleList(Block(options.dim, options.heads, options.dropout) for _ in range(options.layers))
        self.norm = nn.LayerNorm(options.dim)
        counts = [each.tokens for each in read if each.tokens is not None]
        tokens = sum(counts) if len(counts) == len(read) else None
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim, tokens=tokens)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """The summary token as pooled features, and all tokens, real ones as the mask says."""
        read = [_single_token(inputs[name]) if self.reads_pooled else inputs[name] for name in self.inputs]
        marked = [
            layer(_real_tokens(each)) + kind
            for layer, kind, each in zip(self.projections, self.types, read, strict=True)
        ]
        mask = _joined_mask(read)
        # The summary token is always real, so that attention has a key in a row without any input.
        keys = None if mask is None else F.pad(mask, (1, 0), value=True)
        tokens = torch.cat([self.summary.expand(marked[0].shape[0], -1, -1), *marked], 1)
        for layer in self.layers:
            tokens = layer(tokens, keys)
        tokens = self.norm(tokens)
        return Features(tokens[:, 1:], tokens[:, 0], mask)


def _single_shape(spec: FeatureSpec) -> FeatureSpec:
    return FeatureSpec(dim=spec.pooled_dim, pooled_dim=spec.pooled_dim, tokens=1)


def _single_token(features: Features) -> Features:
    """The pooled features as the only token."""
    mask = None if features.mask is None else features.present[:, None]
    return Features(features.pooled[:, None], features.pooled, mask)


def _real_tokens(features: Features) -> Float[Tensor, "batch tokens dim"]:
    """The tokens, with zeros where the mask is False: what stands there reaches nothing."""
    return features.tokens if features.mask is None else features.tokens.masked_fill(~features.mask[..., None], 0)


def _joined_mask(read: Sequence[Features]) -> Bool[Tensor, "batch tokens"] | None:
    """The masks one behind the other; None where all tokens of all inputs are real."""
    if all(each.mask is None for each in read):
        return None
    masks = [
        torch.ones(each.tokens.shape[:2], dtype=torch.bool, device=each.tokens.device)
        if each.mask is None
        else each.mask
        for each in read
    ]
    return torch.cat(masks, 1)
