"""Positions and attention of torchaudio's speech transformers, under padding and for a part of the tokens."""

from typing import Any, TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torchaudio.models.wav2vec2.wavlm_attention import WavLMSelfAttention

Tokens: TypeAlias = Float[Tensor, "batch _tokens dim"]
Mask: TypeAlias = Bool[Tensor, "batch _tokens"]
Keep: TypeAlias = Int[Tensor, "batch _kept"]


def positioned(transformer: Any, tokens: Tokens, mask: Mask | None, keep: Keep | None) -> Tokens:
    """The tokens that are kept, with their positions, as the first layer takes them.

    The convolution that gives the positions reads neighbours, so tokens that are padding or not kept are zero for it.
    """
    real = mask
    if keep is not None:
        kept = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device).scatter(1, keep, True)
        real = kept if mask is None else kept & mask
    if real is not None:
        tokens = tokens.masked_fill(~real.unsqueeze(-1), 0)
    tokens = tokens + transformer.pos_conv_embed(tokens)
    if transformer.layer_norm_first:
        tokens = transformer.layer_norm(tokens)
    tokens = transformer.dropout(tokens)
    return tokens if keep is None else tokens.gather(1, keep.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))


def attention_arguments(transformer: Any, length: int, mask: Mask | None, keep: Keep | None) -> dict[str, Tensor]:
    """What every layer is given beside the tokens, so that none attends to padding.

    torchaudio's own masks add -10000, which large enough garbage exceeds, and WavLM's cannot be given to its encoder.

    Args:
        transformer: The transformer.
        length: Number of tokens, kept or not.
        mask: True at real tokens, of those that are kept.
        keep: Numbers of the tokens that are kept.
    """
    attention = transformer.layers[0].attention
    if not isinstance(attention, WavLMSelfAttention):
        return {} if mask is None else {"attention_mask": mask[:, None, None].expand(-1, -1, mask.shape[1], -1)}
    bias = attention.compute_bias(length, length)
    bias = bias.unsqueeze(0) if keep is None else bias[:, keep[:, :, None], keep[:, None, :]].transpose(0, 1)
    if mask is None:
        return {"position_bias": bias}
    # Of the bias' type, because torch warns where the two are added.
    return {"position_bias": bias, "key_padding_mask": bias.new_zeros(mask.shape).masked_fill(~mask, -torch.inf)}
