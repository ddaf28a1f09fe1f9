"""The model of a spec with all shapes and no memory, and what would become of its pretrained weights."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from zoo.checkpoint.loading import Start, describe, fit_state
from zoo.checkpoint.resolve import head_source, source_of
from zoo.checkpoint.shards import SINGLE
from zoo.checkpoint.source import Source
from zoo.contract import Adapted, Backbone, ValueSpec
from zoo.model.assemble import assemble
from zoo.model.model import ZooModel
from zoo.model.parts import Fitted, backbone_maker, known
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import Spec


def sketch(spec: Spec, fitted: Fitted) -> ZooModel:
    """A model like the one that `build_fitted` makes, on torch's default device; no weights are fetched.

    `starts` tells for each part what would be kept of its weights, from the header of those that are on this machine,
    else from what the backbone says of its pretrained weights.

    Args:
        spec: The spec.
        fitted: What was learnt from the training rows.

    Raises:
        UsageError: The spec is wrong, or a file is missing.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged, or of another architecture.
        NetworkError: A configuration beside the weights cannot be fetched.
    """
    starts: dict[str, Start] = {}
    sources: dict[str, Source] = {}

    def make(section: BackboneSection, place: str, part: str, value: ValueSpec) -> Backbone:
        source = source_of(section, spec, part)
        learnt = known(fitted, part, source)
        backbone = backbone_maker(section, place, value, source, learnt, spec.train.seed)()
        if source is None:
            starts[part] = Start(new=tuple(backbone.state_dict()))
            return backbone
        sources[part] = source
        state = header(source, backbone.weight_files) or backbone.reference()
        starts[part] = describe(backbone, fit_state(backbone, state))
        return backbone

    model = assemble(spec, fitted, make)
    for name, section in spec.heads.items():
        head_from = head_source(section.weights, spec, f"heads.{name}")
        if head_from is not None:
            sources[f"heads.{name}"] = head_from
            state = header(head_from, [SINGLE])
            adapted = Adapted({}) if state is None else model.head(name).adapt(state, head_from.fitted())
            starts[f"heads.{name}"] = describe(model.head(name), adapted)
    model.starts, model.sources = starts, sources
    return model


def header(source: Source, names: Sequence[str]) -> Mapping[str, Tensor] | None:
    """Names and shapes of weights that are on this machine; None where they would have to be fetched.

    Args:
        source: Where they come from.
        names: What their file may be called, best first.
    """
    with torch.device("cpu"):
        state = source.cached(names)
    return None if state is None else {name: tensor.to("meta") for name, tensor in state.items()}
