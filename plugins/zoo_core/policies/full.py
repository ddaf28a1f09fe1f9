"""Everything is trained."""

from zoo.component import Component, Kind

COMPONENT = Component(
    kind=Kind.POLICY,
    name="full",
    target="zoo_core.policies.full:build",
    summary="Trains every tensor, pretrained parts at a tenth of the new parts' rate.",
    source="Yosinski et al. 2014",
)
