"""Concatenation of pooled features."""

from dataclasses import dataclass

from zoo.component import Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Concat:
    """Options of `zoo/concat`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    dropout: float = option(0.1, "Dropout on the joined features.", ge=0, lt=1)


COMPONENT = Component(
    kind=Kind.FUSION,
    name="concat",
    target="zoo_core.fusions.concat:build",
    options=Concat,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Joins the projected pooled features and mixes them with one layer; an absent input has a learned vector.",
    source="Ngiam et al. 2011",
)
