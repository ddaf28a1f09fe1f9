"""Late fusion: every input decides, the decisions are averaged."""

from dataclasses import dataclass

from zoo.component import Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Late:
    """Options of `zoo/late`."""

    dim: int = option(256, "Width that every input is projected to, and of the result.", ge=8, le=65536)
    learned: bool = option(True, "Learn the weight of each input; else all present inputs count the same.")


COMPONENT = Component(
    kind=Kind.FUSION,
    name="late",
    target="zoo_core.fusions.late:build",
    options=Late,
    provides=frozenset({"tokens", "pooled", "export"}),
    needs=frozenset({"pooled"}),
    summary="Weighted mean over the inputs that are present; the weights of the absent ones go to the others.",
    source="Kittler et al. 1998",
)
