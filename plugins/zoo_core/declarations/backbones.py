"""Backbones for what has no pretrained ones: vectors and sequences."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, Modality, option
from zoo_core.declarations.rules import check_heads


@dataclass(frozen=True, kw_only=True)
class MLP:
    """Options of `zoo/mlp`."""

    width: int = option(128, "Width of every hidden layer and of the features.", ge=1, le=65536)
    layers: int = option(2, "Hidden layers.", ge=1, le=64)
    activation: Literal["gelu", "relu", "silu", "tanh"] = option("gelu", "Nonlinearity between the layers.")
    dropout: float = option(0.1, "Dropout after every hidden layer.", ge=0, lt=1)


PERCEPTRON = Component(
    kind=Kind.BACKBONE,
    name="mlp",
    target="zoo_core.backbones.mlp:build",
    options=MLP,
    modality=(Modality.VECTOR,),
    provides=frozenset({"tokens", "pooled", "stages", "export"}),
    summary="Multilayer perceptron; categories are embedded, a missing number has an embedding of its own.",
    source="Gorishniy et al. 2021 (MLP for tables); the embedding of missing numbers is ours",
)


@dataclass(frozen=True, kw_only=True)
class GRU:
    """Options of `zoo/gru`."""

    width: int = option(128, "Width of the state in each direction.", ge=1, le=65536)
    layers: int = option(1, "Recurrent layers.", ge=1, le=32)
    bidirectional: bool = option(True, "Also read the sequence backwards, and join both states.")
    dropout: float = option(0.1, "Dropout after every layer.", ge=0, lt=1)


RECURRENT = Component(
    kind=Kind.BACKBONE,
    name="gru",
    target="zoo_core.backbones.gru:build",
    options=GRU,
    modality=(Modality.SEQUENCE,),
    provides=frozenset({"tokens", "pooled", "stages", "export"}),
    summary="Gated recurrent network over time steps; the final states are pooled, and padding changes nothing.",
    source="Cho et al. 2014",
)


@dataclass(frozen=True, kw_only=True)
class SequenceTransformer:
    """Options of `zoo/sequence-transformer`."""

    dim: int = option(128, "Width of the tokens.", ge=8, le=65536)
    layers: int = option(4, "Transformer layers.", ge=1, le=64)
    heads: int = option(4, "Attention heads; they must divide `dim`.", ge=1, le=128)
    dropout: float = option(0.1, "Dropout in every layer.", ge=0, lt=1)

    def __post_init__(self) -> None:
        """Refuses a width that the attention heads do not divide."""
        check_heads(self.dim, self.heads)


SEQUENCE_TRANSFORMER = Component(
    kind=Kind.BACKBONE,
    name="sequence-transformer",
    target="zoo_core.backbones.sequence_transformer:build",
    options=SequenceTransformer,
    modality=(Modality.SEQUENCE,),
    provides=frozenset({"tokens", "pooled", "stages", "encode", "export"}),
    summary="Pre-norm transformer encoder over time steps, with sinusoidal positions and a padding mask.",
    source="Vaswani et al. 2017; Xiong et al. 2020 (pre-norm)",
)


COMPONENTS = (PERCEPTRON, RECURRENT, SEQUENCE_TRANSFORMER)
