"""Policies: which tensors training moves."""

from dataclasses import dataclass

from zoo.component import Component, Kind, option

FULL = Component(
    kind=Kind.POLICY,
    name="full",
    target="zoo_core.policies.full:build",
    summary="Trains every tensor, pretrained parts at a tenth of the new parts' rate.",
    source="Yosinski et al. 2014 (fine-tuning); Long et al. 2015 (ten times the rate for new layers)",
)


FROZEN = Component(
    kind=Kind.POLICY,
    name="frozen",
    target="zoo_core.policies.frozen:build",
    summary="Trains what starts at random; pretrained backbones keep every tensor, norm statistics too.",
    source="Alain and Bengio 2017 (linear probe)",
)


@dataclass(frozen=True, kw_only=True)
class Last:
    """Options of `zoo/last`."""

    groups: int = option(
        1, "Layer groups of each backbone that are trained, counted from its output.", ge=1, le=1000, shorthand=True
    )


LAST = Component(
    kind=Kind.POLICY,
    name="last",
    target="zoo_core.policies.last:build",
    options=Last,
    summary="Trains fusion, heads and the last layer groups of each backbone: `last:2`.",
    source="Yosinski et al. 2014; Howard and Ruder 2018 (layer groups)",
)


COMPONENTS = (FULL, FROZEN, LAST)
