"""From a spec, and the data that it names, to a model with its pretrained weights."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.checkpoint.loading import Start, assign, describe, started
from zoo.checkpoint.locked import check_weights
from zoo.checkpoint.resolve import head_source, source_of
from zoo.checkpoint.source import Folder, Source
from zoo.checkpoint.unallocated import Bounded
from zoo.component import Component
from zoo.contract import Backbone, Head, ValueSpec, is_calibrated
from zoo.data.fit import fit, fit_rows
from zoo.data.given import with_tables
from zoo.errors import CorruptError, UsageError
from zoo.model.assemble import assemble
from zoo.model.model import ZooModel
from zoo.model.parts import Fitted, backbone_maker, known
from zoo.model.usable import usable_rows
from zoo.spec.load import as_spec
from zoo.spec.sections import Backbone as BackboneSection
from zoo.spec.sections import Spec


def build(
    spec: Spec | str | Path | Mapping[str, Any],
    components: Iterable[Component] = (),
    *,
    tables: Mapping[str, Any] | None = None,
) -> ZooModel:
    """Builds a model: fits its parts together and loads their pretrained weights.

    What parts must know of the data (class names, means, a vocabulary) is learnt from the training rows that the spec
    names.

    Args:
        spec: A spec, the path of one, or its keys and values as a dict.
        components: Further components, of no installed plugin, which the spec names `local/<name>`: for notebooks.
        tables: Tables in memory, as for `zoo.train`.

    Returns:
        The model on the CPU. `starts` tells for each part what was kept, resized and new; `sources` where its weights
        came from.

    Raises:
        UsageError: The spec is wrong, a file is missing, or the data are not what it says.
        PluginError: A component cannot be imported or built.
        CorruptError: Weights are damaged, or of another architecture.
        NetworkError: Weights cannot be fetched.
        DigestError: The spec is to be built as a lock tells, and weights are not those.
    """
    checked = with_tables(as_spec(spec, components), tables)
    if checked.data.train and checked.data.on_error == "skip":
        return build_fitted(checked, fit_rows(checked, usable_rows(checked).training))
    return build_fitted(checked, fit(checked))


def build_fitted(spec: Spec, fitted: Fitted) -> ZooModel:
    """Like `build`, with what is to be learnt from the training rows learnt already."""
    starts: dict[str, Start] = {}
    sources: dict[str, Source] = {}

    def make(section: BackboneSection, place: str, part: str, value: ValueSpec) -> Backbone:
        source = source_of(section, spec, part)
        learnt = known(fitted, part, source)
        maker = backbone_maker(section, place, value, source, learnt, spec.train.seed)
        if source is None:
            backbone = maker()
            starts[part] = Start(new=tuple(backbone.state_dict()))
            return backbone
        sources[part] = source
        try:
            backbone, starts[part] = started(maker, lambda built: source.tensors(built.weight_files))
        except CorruptError as error:
            named = str(error) if str(source) in str(error) else f"{source}: {error}"
            error.args = (f"`{place}`: {named}",)
            raise
        return backbone

    model = assemble(spec, fitted, make)
    for name, section in spec.heads.items():
        head_from = head_source(section.weights, spec, f"heads.{name}")
        if head_from is not None:
            sources[f"heads.{name}"] = head_from
            starts[f"heads.{name}"] = _start_head(model.head(name), head_from, f"heads.{name}.weights")
    model.starts, model.sources = starts, sources
    if spec.pins is not None:
        check_weights(sources, spec.pins)
    return model


def _start_head(head: Head, source: Source, place: str) -> Start:
    """Puts into a head what fits of an earlier one."""
    state = source.tensors(["model.safetensors"])
    adapted = head.adapt(state, source.fitted())
    if not adapted.tensors:
        some = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in list(state.items())[:3])
        raise UsageError(f"`{place}`: nothing of {source} fits this head; it has {some}; leave `weights` out")
    head.load_state_dict(dict(adapted.tensors), strict=False)
    return describe(head, adapted)


def restore(
    spec: Spec, fitted: Fitted, run: Folder, tensors: Mapping[str, Tensor], temperatures: bool = True
) -> ZooModel:
    """The model of a run: every tensor is the run's own.

    Args:
        spec: The run's spec.
        fitted: What the run had learnt from its training rows.
        run: The run's files.
        tensors: All its tensors.
        temperatures: Whether those of its heads are among them; an old run has none, and they are 1.

    Raises:
        CorruptError: The tensors are not those of the spec.
    """

    def make(section: BackboneSection, place: str, part: str, value: ValueSpec) -> Backbone:
        # The files are the run's, and so is what was learnt; the weights need not be named any more.
        mine = Folder(run.folder / "parts" / part.partition(".")[2])
        return backbone_maker(section, place, value, mine, known(fitted, part, None), spec.train.seed)()

    with Bounded(len(tensors), sum(each.nbytes for each in tensors.values())):
        model = assemble(spec, fitted, make)
    assign(model, tensors if temperatures else {**_temperatures(model), **tensors})
    return model


def _temperatures(model: ZooModel) -> dict[str, Tensor]:
    """The temperatures of all heads, auxiliary ones too, as they are before they are fitted."""
    heads = {name: each for name, each in model.named_modules() if is_calibrated(each)}
    return {f"{name}.temperature": torch.ones_like(head.temperature) for name, head in heads.items()}


def told_starts(model: ZooModel) -> Iterator[str]:
    """How each part that was built starts, line by line: what is kept of its weights, resized and new."""
    for part, start in model.starts.items():
        for line in start.told(str(model.sources.get(part, ""))):
            yield f"{part}: {line}"
