"""Only new parts are trained."""

from zoo.component import Component, Kind

COMPONENT = Component(
    kind=Kind.POLICY,
    name="frozen",
    target="zoo_core.policies.frozen:build",
    summary="Trains fusion and heads; backbones keep every tensor, norm statistics too (a linear probe).",
    source="Alain and Bengio 2017",
)
