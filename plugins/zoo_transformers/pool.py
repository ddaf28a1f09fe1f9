"""How tokens become one vector."""

from typing import Literal, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from zoo.features import masked_mean

Way: TypeAlias = Literal["network", "first", "last", "mean", "max"]
"""`network`: what the library's network itself gives as its pooled output; the others read the tokens."""


def pool_tokens(
    tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None, way: Way, special: int = 0
) -> Float[Tensor, "batch dim"]:
    """One vector for each row.

    Args:
        tokens: The tokens.
        mask: True at real tokens; None where all are.
        way: The first token, the last real one, or the mean or maximum of the real ones.
        special: Tokens in front that stand for no part of the input, such as a class token; mean and maximum skip them.
    """
    if way == "first":
        return tokens[:, 0]
    if way == "last":
        if mask is None:
            return tokens[:, -1]
        return tokens[torch.arange(len(tokens), device=tokens.device), mask.sum(1) - 1]
    tokens, mask = tokens[:, special:], None if mask is None else mask[:, special:]
    if way == "mean":
        return masked_mean(tokens, mask)
    lowest = torch.finfo(tokens.dtype).min
    return (tokens if mask is None else tokens.masked_fill(~mask.unsqueeze(-1), lowest)).amax(1)
