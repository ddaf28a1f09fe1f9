"""The top of each backbone is trained."""

from dataclasses import dataclass

from zoo.component import Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Last:
    """Options of `zoo/last`."""

    groups: int = option(
        1, "Layer groups of each backbone that are trained, counted from its output.", ge=1, le=1000, shorthand=True
    )


COMPONENT = Component(
    kind=Kind.POLICY,
    name="last",
    target="zoo_core.policies.last:build",
    options=Last,
    summary="Trains fusion, heads and the last layer groups of each backbone: `last:2`.",
    source="Yosinski et al. 2014; Howard and Ruder 2018 (layer groups)",
)
