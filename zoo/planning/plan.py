"""`zoo.plan`: what a spec would become, learnt without fetching a weight or taking memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.checkpoint.loading import Start
from zoo.component import Component, FeatureSpec
from zoo.data.given import with_tables
from zoo.data.learnable import fit_learnable
from zoo.model.device import Device, device_at_hand, precision_on
from zoo.model.model import ZooModel
from zoo.planning.dry_run import Shape
from zoo.planning.memory import Memory, memory_of
from zoo.planning.routes import Sounding, sound
from zoo.spec.load import as_spec
from zoo.spec.sections import Backbone, SharedBackbone, Spec, named_parts
from zoo.transfer.freeze import parts


@dataclass(frozen=True)
class PlannedPart:
    """A part with tensors of its own: a backbone, the fusion, a head.

    Args:
        component: Full name of its component.
        parameters: Numbers in its parameters.
        trainable: Those of them that training moves.
        start: What would be kept, resized and new of its weights; None of parts that never have any.
        source: Where its weights come from, in words; "" where it starts at random.
        to_fetch: Bytes of its weights that are not on this machine yet; None where that is not known.
        estimate: Bytes of the part's own tensors, which is about what its weights take.
    """

    component: str
    parameters: int
    trainable: int
    start: Start | None = None
    source: str = ""
    to_fetch: int | None = 0
    estimate: int = 0


@dataclass(frozen=True)
class PlannedInput:
    """What flows from an input.

    Args:
        type: Full name of the input's component.
        backbone: Full name of the component that reads it.
        part: Where the tensors of that stand: `backbones.photo`.
        reads: Shape of what the backbone reads at most, without the batch; None where it is no single tensor.
        gives: Shapes of the features; `tokens` is their largest number.
        varies: Whether the number of tokens depends on the sample.
        operations: Floating-point operations for one sample, multiply and add counted as two; None where unknown.
    """

    type: str
    backbone: str
    part: str
    reads: Shape | None
    gives: FeatureSpec
    varies: bool
    operations: int | None


@dataclass(frozen=True, repr=False)
class Plan:
    """What a spec would become.

    Args:
        name: Name of the spec.
        inputs: What flows from each input.
        fused: Shapes of what the fusion gives; None without one.
        outputs: Shapes of each head's outputs, without the batch; empty where unknown.
        parts: All parts with tensors, by where those stand: `backbones.photo`, `fusion`, `heads.mood`.
        parameters: Numbers in all parameters, shared ones counted once.
        trainable: Those of them that training moves.
        operations: Floating-point operations of a forward pass over one sample; None where unknown.
        memory: What training and prediction take by batch size; None where unknown.
        route: How shapes and costs were learnt: on the meta device, with fake tensors, or in a real run.
    """

    name: str
    inputs: Mapping[str, PlannedInput]
    fused: FeatureSpec | None
    outputs: Mapping[str, Any]
    parts: Mapping[str, PlannedPart]
    parameters: int
    trainable: int
    operations: int | None
    memory: Memory | None
    route: str

    @property
    def download_bytes(self) -> int | None:
        """Bytes of weights to fetch; None where some are not known."""
        known = [part.to_fetch for part in self.parts.values()]
        return None if None in known else sum(each for each in known if each is not None)

    @property
    def download_estimate(self) -> int:
        """Bytes of weights to fetch, estimated from their shapes where nobody tells."""
        return sum(part.estimate if part.to_fetch is None else part.to_fetch for part in self.parts.values())

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo plan`."""
        from zoo.planning.written import as_dict

        return as_dict(self)

    def __repr__(self) -> str:
        from zoo.planning.written import as_text

        return as_text(self)


def plan(
    spec: Spec | str | Path | Mapping[str, Any],
    components: Iterable[Component] = (),
    device: Device | None = None,
    *,
    tables: Mapping[str, Any] | None = None,
) -> Plan:
    """Plans a model: shapes along every edge, parameters, operations, memory by batch size, bytes to fetch.

    No weight is fetched or allocated; of a Hub repository nothing but its small files. What parts must know of the data
    (class names, a vocabulary) is learnt from the training rows that the spec names; a data set of the Hub is fetched
    for that.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.
        components: Further components, of no installed plugin, which the spec names `local/<name>`: for notebooks.
        device: The device that the model shall run on; the one at hand unless given.
        tables: Tables in memory, as for `zoo.train`.

    Raises:
        UsageError: The spec is wrong, a file is missing, or the data are not what it says.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights on this machine are damaged, or of another architecture.
        NetworkError: A configuration beside the weights cannot be fetched.
    """
    checked = with_tables(as_spec(spec, components), tables)
    chosen = device or device_at_hand()
    precision = precision_on(chosen.kind, checked.train.precision)
    sounding = sound(checked, fit_learnable(checked), chosen.kind, precision)
    model, costs = sounding.model, sounding.costs
    return Plan(
        name=checked.name,
        inputs={name: _input(sounding, name) for name in checked.inputs},
        fused=model.fusion.features if model.fusion is not None else None,
        outputs=_shapes(sounding),
        parts=_parts(model),
        parameters=sum(each.numel() for each in model.parameters()),
        trainable=sum(each.numel() for each in model.parameters() if each.requires_grad),
        operations=None if costs is None else sum(costs.operations.values()),
        memory=None if costs is None else memory_of(model, costs, chosen, precision),
        route=sounding.route,
    )


def _input(sounding: Sounding, name: str) -> PlannedInput:
    model, run, costs = sounding.model, sounding.run, sounding.costs
    section = model.spec.inputs[name]
    shared = isinstance(section.backbone, SharedBackbone)
    owner = section.backbone.same_as if isinstance(section.backbone, SharedBackbone) else name
    backbone = model.spec.inputs[owner].backbone if shared else section.backbone
    assert isinstance(backbone, Backbone)
    told = model.backbone(name).features
    most = run.features[name].tokens.shape[1] if run is not None else told.tokens
    gives = FeatureSpec(told.dim, told.pooled_dim, most, told.maps)
    operations = costs.operations[f"inputs.{name}"] if costs is not None else None
    reads = run.reads.get(name) if run is not None else None
    use = backbone.registered.name
    return PlannedInput(section.type, use, f"backbones.{owner}", reads, gives, told.tokens is None, operations)


def _shapes(sounding: Sounding) -> dict[str, Any]:
    """Of each head the shapes of its outputs, as a tree of tuples."""
    if sounding.run is None:
        return {}
    rows = sounding.rows

    def shape(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return None
        return tuple(leaf.shape[1:]) if leaf.ndim and leaf.shape[0] == rows else tuple(leaf.shape)

    outputs: dict[str, Any] = pytree.tree_map(shape, dict(sounding.run.outputs))
    return outputs


def _parts(model: ZooModel) -> dict[str, PlannedPart]:
    planned = {}
    for part in parts(model):
        module = model.get_submodule(part.name)
        own = {name: module.get_parameter(name) for name in part.names}
        start, source = model.starts.get(part.name), model.sources.get(part.name)
        files = model.backbone_parts()[part.name].weight_files if part.name in model.backbone_parts() else ()
        planned[part.name] = PlannedPart(
            component=_component(model.spec, part.name),
            parameters=sum(each.numel() for each in own.values()),
            trainable=sum(each.numel() for each in own.values() if each.requires_grad),
            start=start,
            source="" if source is None else str(source),
            to_fetch=0 if source is None else source.to_fetch(files),
            estimate=0 if source is None else sum(each.nbytes for each in module.state_dict().values()),
        )
    return planned


def _component(spec: Spec, place: str) -> str:
    """Full name of the component of a part."""
    match place.split("."):
        case ["backbones", name]:
            backbone = spec.inputs[name].backbone
            assert isinstance(backbone, Backbone)
            return backbone.registered.name
        case ["fusion"]:
            assert spec.fusion is not None
            return spec.fusion.registered.name
        case ["heads", name, "parts", option]:
            return named_parts(spec.heads[name].options)[option].registered.name
        case [_, name]:
            return spec.heads[name].registered.name
    raise AssertionError(place)
