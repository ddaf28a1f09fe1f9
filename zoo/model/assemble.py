"""Puts the parts of a spec together: who reads what, in which shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from zoo.component import FeatureSpec
from zoo.contract import Backbone, Head, HeadContext, InputType, ValueSpec
from zoo.data.columns import part_columns
from zoo.data.inputs import make_frontend, make_input
from zoo.errors import UsageError
from zoo.model.model import ZooModel
from zoo.model.parts import Fitted, make_fusion, make_head
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import SharedBackbone, Spec, named_parts


class BackboneFactory(Protocol):
    """How backbones come to be: planned on no memory, started from pretrained weights, or from those of a run."""

    def __call__(self, section: BackboneSection, place: str, part: str, value: ValueSpec) -> Backbone:
        """A backbone.

        Args:
            section: What the spec says of it.
            place: Where it says so: `inputs.photo.backbone`.
            part: Where its tensors will stand in the model: `backbones.photo`.
            value: The values that it will be given.
        """


@dataclass(frozen=True)
class _Chains:
    """The inputs' parts, by the input's name."""

    inputs: dict[str, InputType]
    frontends: dict[str, Any]
    values: dict[str, ValueSpec]
    backbones: dict[str, Backbone]
    features: dict[str, FeatureSpec]


def assemble(spec: Spec, fitted: Fitted, make_backbone: BackboneFactory) -> ZooModel:
    """The model that a spec describes, on torch's default device.

    Args:
        spec: The spec.
        fitted: What was learnt from the training rows, by kind of part and name.
        make_backbone: How backbones come to be.
    """
    chains = _chains(spec, fitted, make_backbone)
    fusion = make_fusion(spec, chains.features)
    fused = fusion.features if fusion is not None else next(iter(chains.features.values()))
    heads, auxiliary = {}, {}
    for name in spec.heads:
        place = f"heads.{name}"
        context = _head_context(spec, name, fused, chains, fitted, make_backbone)
        heads[name] = make_head(spec, name, place, context)
        if spec.balance.aux and fusion is not None:
            auxiliary[name] = _auxiliary(spec, name, context, chains)
    return ZooModel(
        spec,
        inputs=chains.inputs,
        frontends=chains.frontends,
        backbones=chains.backbones,
        fusion=fusion,
        heads=heads,
        auxiliary=auxiliary,
        fitted=fitted,
    )


def _chains(spec: Spec, fitted: Fitted, make_backbone: BackboneFactory) -> _Chains:
    learnt = fitted.get("inputs", {})
    inputs = {name: make_input(section, name, learnt.get(name, {})) for name, section in spec.inputs.items()}
    made = {name: make_frontend(section, name, inputs[name].value) for name, section in spec.inputs.items()}
    frontends = {name: frontend for name, frontend in made.items() if frontend is not None}
    values = {name: frontends[name].value if name in frontends else inputs[name].value for name in inputs}
    backbones: dict[str, Backbone] = {}
    features: dict[str, FeatureSpec] = {}
    for name, section in spec.inputs.items():
        if isinstance(section.backbone, BackboneSection):
            place = f"inputs.{name}.backbone"
            value = _shared_value(spec, name, values)
            backbones[name] = make_backbone(section.backbone, place, f"backbones.{name}", value)
    for name, section in spec.inputs.items():
        owner = section.backbone.same_as if isinstance(section.backbone, SharedBackbone) else name
        features[name] = backbones[owner].features
    return _Chains(inputs, frontends, values, backbones, features)


def _shared_value(spec: Spec, owner: str, values: Mapping[str, ValueSpec]) -> ValueSpec:
    """What a backbone is given by all inputs that read it: values of one kind, the longest of which sets the length.

    Raises:
        UsageError: They differ in more than their length.
    """
    value = values[owner]
    for name, section in spec.inputs.items():
        if isinstance(section.backbone, SharedBackbone) and section.backbone.same_as == owner:
            mine, longest = values[name], max(filter(None, (value.max_length, values[name].max_length)), default=None)
            for key in ("modality", "shape", "rate", "categories", "standardized"):
                if getattr(mine, key) != getattr(value, key):
                    raise UsageError(
                        f"`inputs.{name}.backbone`: `{owner}` and `{name}` cannot share a backbone: {key} of their "
                        f"values is {getattr(value, key)} and {getattr(mine, key)}; make both inputs alike"
                    )
            value = replace(value, max_length=longest)
    return value


def _head_context(
    spec: Spec, name: str, fused: FeatureSpec, chains: _Chains, fitted: Fitted, make_backbone: BackboneFactory
) -> HeadContext:
    section = spec.heads[name]
    parts = {
        option: make_backbone(part, f"heads.{name}.{option}", f"heads.{name}.parts.{option}", _value_of(part))
        for option, part in named_parts(section.options).items()
    }
    return HeadContext(
        name=name,
        features=fused,
        inputs=chains.features,
        values=chains.values,
        columns=part_columns(section),
        fitted=fitted.get("heads", {}).get(name, {}),
        parts=parts,
    )


def _value_of(part: BackboneSection) -> ValueSpec:
    """Values of a part of a head, which reads no input: of the first modality that it takes."""
    return ValueSpec(modality=part.registered.component.modality[0])


def _auxiliary(spec: Spec, name: str, context: HeadContext, chains: _Chains) -> dict[str, Head]:
    """Heads like this one on each input alone."""
    made = {}
    for each, features in chains.features.items():
        place = f"auxiliary.{name}.{each}"
        made[each] = make_head(spec, name, place, replace(context, features=features, parts={}))
    return made
