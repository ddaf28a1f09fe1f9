"""Transformer encoder over a sequence."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option
from zoo_core.attention import check_heads


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


COMPONENT = Component(
    kind=Kind.BACKBONE,
    name="sequence-transformer",
    target="zoo_core.backbones.sequence_transformer:build",
    options=SequenceTransformer,
    modality=(Modality.SEQUENCE,),
    provides=frozenset({"tokens", "pooled", "stages", "encode", "export"}),
    summary="Pre-norm transformer encoder over time steps, with sinusoidal positions and a padding mask.",
    source="Vaswani et al. 2017; Xiong et al. 2020 (pre-norm)",
)
