"""Transformer over all inputs' tokens at once."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option
from zoo_core.attention import check_heads


@dataclass(frozen=True, kw_only=True)
class TokenTransformer:
    """Options of `zoo/token-transformer`."""

    dim: int = option(256, "Width that every token is projected to, and of the result.", ge=8, le=65536)
    layers: int = option(2, "Transformer layers over the joined tokens.", ge=1, le=48)
    heads: int = option(4, "Attention heads; they must divide `dim`.", ge=1, le=128)
    dropout: float = option(0.1, "Dropout in every layer.", ge=0, lt=1)
    reads: Literal["tokens", "pooled"] = option(
        "tokens", "What each input brings: all of its tokens, or its pooled features as one token (cheaper)."
    )

    def __post_init__(self) -> None:
        """Refuses a width that the attention heads do not divide."""
        check_heads(self.dim, self.heads)


COMPONENT = Component(
    kind=Kind.FUSION,
    name="token-transformer",
    target="zoo_core.fusions.token_transformer:build",
    options=TokenTransformer,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"tokens", "pooled"}),
    summary="One transformer over the tokens of all inputs, marked by input; padding and absence are masked.",
    source="Kim et al. 2021 (ViLT); any number of inputs, tokens from any backbone",
)
