"""Gated multimodal unit."""

from dataclasses import dataclass

from zoo.component import Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Gated:
    """Options of `zoo/gated`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    dropout: float = option(0.1, "Dropout on the fused features.", ge=0, lt=1)


COMPONENT = Component(
    kind=Kind.FUSION,
    name="gated",
    target="zoo_core.fusions.gated:build",
    options=Gated,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Each feature takes from each input what a learned gate lets through; gates of absent inputs are shut.",
    source="Arevalo et al. 2017 (GMU); for more than two inputs the gates are a softmax over those present",
)
