"""Gated recurrent network over a sequence."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class GRU:
    """Options of `zoo/gru`."""

    width: int = option(128, "Width of the state in each direction.", ge=1, le=65536)
    layers: int = option(1, "Recurrent layers.", ge=1, le=32)
    bidirectional: bool = option(True, "Also read the sequence backwards, and join both states.")
    dropout: float = option(0.1, "Dropout between the layers and on the features.", ge=0, lt=1)


COMPONENT = Component(
    kind=Kind.BACKBONE,
    name="gru",
    target="zoo_core.backbones.gru:build",
    options=GRU,
    modality=(Modality.SEQUENCE,),
    provides=frozenset({"tokens", "pooled", "stages", "export"}),
    summary="Gated recurrent network over time steps; padding is packed away.",
    source="Cho et al. 2014",
)
