"""Fusions: several inputs' features become one."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option
from zoo_core.declarations.rules import check_heads


@dataclass(frozen=True, kw_only=True)
class Concat:
    """Options of `zoo/concat`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    dropout: float = option(0.1, "Dropout on the joined features.", ge=0, lt=1)


CONCAT = Component(
    kind=Kind.FUSION,
    name="concat",
    target="zoo_core.fusions.concat:build",
    options=Concat,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Joins the projected pooled features and mixes them with one layer; an absent input has a learned vector.",
    source="Ngiam et al. 2011",
)


@dataclass(frozen=True, kw_only=True)
class Late:
    """Options of `zoo/late`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    learned: bool = option(True, "Learn the weight of each input; else all inputs that are present count the same.")


LATE = Component(
    kind=Kind.FUSION,
    name="late",
    target="zoo_core.fusions.late:build",
    options=Late,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Weighted mean of the inputs that are present: with a linear head, the mean of their own decisions.",
    source="Kittler et al. 1998",
)


@dataclass(frozen=True, kw_only=True)
class Gated:
    """Options of `zoo/gated`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    dropout: float = option(0.1, "Dropout on the fused features.", ge=0, lt=1)


GATED = Component(
    kind=Kind.FUSION,
    name="gated",
    target="zoo_core.fusions.gated:build",
    options=Gated,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Each feature takes from each input what a learned gate lets through; gates of absent inputs are shut.",
    source="Arevalo et al. 2017 (GMU); for more than two inputs the gates are a softmax over those present",
)


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


TOKEN_TRANSFORMER = Component(
    kind=Kind.FUSION,
    name="token-transformer",
    target="zoo_core.fusions.token_transformer:build",
    options=TokenTransformer,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"tokens", "pooled"}),
    summary="One transformer over the tokens of all inputs, marked by input; padding and absence are masked.",
    source="Kim et al. 2021 (ViLT); any number of inputs, tokens from any backbone",
)


COMPONENTS = (CONCAT, LATE, GATED, TOKEN_TRANSFORMER)
