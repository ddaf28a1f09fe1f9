"""Multilayer perceptron over a vector."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class MLP:
    """Options of `zoo/mlp`."""

    width: int = option(128, "Width of every hidden layer and of the features.", ge=1, le=65536)
    layers: int = option(2, "Hidden layers.", ge=1, le=64)
    activation: Literal["gelu", "relu", "silu", "tanh"] = option("gelu", "Nonlinearity between the layers.")
    dropout: float = option(0.1, "Dropout after every hidden layer.", ge=0, lt=1)


COMPONENT = Component(
    kind=Kind.BACKBONE,
    name="mlp",
    target="zoo_core.backbones.mlp:build",
    options=MLP,
    modality=(Modality.VECTOR,),
    provides=frozenset({"tokens", "pooled", "stages", "export"}),
    summary="Multilayer perceptron; categories are embedded, a missing number has an embedding of its own.",
    source="Gorishniy et al. 2021",
)
