"""What holds for backbones, beside what holds for their rows (`rows.py`) and abilities (`abilities.py`)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from zoo.checkpoint.source import Folder
from zoo.contract import Backbone, BackboneContext, ValueSpec
from zoo.data.collate import join
from zoo.features import Features, Values
from zoo.model.parts import backbone_maker
from zoo.model.tower import run_tower
from zoo.spec.sections import Backbone as Section
from zoo.testing import modules
from zoo.testing.along import parts_with_weights, taken_along
from zoo.testing.case import Case
from zoo.testing.compare import differences
from zoo.testing.modules import objective_of
from zoo.testing.samples import VALUES, sample_values


class BackboneTrial:
    """A backbone, and values for it.

    Args:
        case: The backbone and its options.
    """

    def __init__(self, case: Case) -> None:
        modality = case.registered.component.modality[0]
        self.case, self.unused = case, case.unused
        self.value = case.value or VALUES.get(modality) or ValueSpec(modality=modality)
        self.samples = sample_values(self.value) if case.samples is None else list(case.samples)

    def build(self, seed: int = 0, files: Folder | None = None) -> Backbone:
        """A new one, from a seed, beside files where given."""
        section = self.case.part
        assert isinstance(section, Section)
        return backbone_maker(section, "backbone", self.value, files, self._learnt, seed)()

    @cached_property
    def values(self) -> Values:
        """The samples as a batch."""
        backbone = self.build()
        return join([backbone.prepare(sample) for sample in self.samples], backbone.padding_value)

    def outputs(self, backbone: Backbone) -> Features:
        """Features of the batch."""
        return features(backbone, self.values)

    def objective(self, backbone: Backbone) -> Tensor:
        """A number that depends on all features."""
        return objective_of(self.outputs(backbone))

    @cached_property
    def _learnt(self) -> Any:
        context = BackboneContext(name=self.case.registered.component.name, value=self.value)
        return self.case.fitted(context, self.samples)


def features(backbone: Backbone, values: Values) -> Features:
    """Features as a model has them made, with maps where there are some."""
    return run_tower(backbone, backbone.pyramid if backbone.features.maps else backbone, values)


def built_again(trial: BackboneTrial, backbone: Backbone) -> Backbone:
    """A new backbone, beside the files that one wants kept."""
    with TemporaryDirectory() as folder:
        for name, text in backbone.files().items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return trial.build(files=Folder(Path(folder)))


def shapes_are_those_it_tells(trial: BackboneTrial) -> Iterator[str]:
    """Features of the example have the shapes of `features`, for real and on the meta device."""
    with torch.device("meta"):
        planned = trial.build().eval()
        traced = planned(planned.example(2))
    real = trial.build().eval()
    if planned.features != real.features:
        yield f"`features` is {planned.features} on the meta device and {real.features} for real"
    for where, given in (("on the meta device", traced), ("for real", real(real.example(2)))):
        told = real.features
        wanted = [2, told.tokens or given.tokens.shape[1], told.dim]
        if list(given.tokens.shape) != wanted:
            yield f"tokens of the example are {list(given.tokens.shape)} {where}; `features` says {wanted}"
        if list(given.pooled.shape) != [2, told.pooled_dim]:
            yield f"pooled is {list(given.pooled.shape)} {where}; `features` says {[2, told.pooled_dim]}"


def example_is_like_prepared_values(trial: BackboneTrial) -> Iterator[str]:
    """The example has the type and the number of dimensions of prepared values, and is at least as long.

    How long values get at most is not always known: then the example is of any length.
    """
    example = trial.build().example(2).data[0]
    for sample in trial.values.data:
        if (sample.dtype, sample.ndim) != (example.dtype, example.ndim):
            wanted = f"{sample.ndim} dimensions of {sample.dtype}"
            yield f"the example has {example.ndim} dimensions of {example.dtype}; prepared values have {wanted}"
            return
        if trial.value.max_length is not None and len(sample) > len(example):
            yield f"the example is {len(example)} long, and a prepared value {len(sample)}"
            return


def layer_groups_name_every_tensor_once(trial: BackboneTrial) -> Iterator[str]:
    """All parameters and persistent buffers stand in one of the layer groups."""
    backbone = trial.build()
    named = [name for group in backbone.layer_groups() for name in group]
    state = backbone.state_dict()
    persistent = [name for name, _ in (*backbone.named_parameters(), *backbone.named_buffers()) if name in state]
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield f"`layer_groups` names `{name}` more than once"
    for name in sorted(set(persistent) - set(named)):
        yield f"`layer_groups` lacks `{name}`"
    for name in sorted(set(named) - set(state)):
        yield f"`layer_groups` names `{name}`, which is no parameter or persistent buffer"


def own_weights_fit(trial: BackboneTrial) -> Iterator[str]:
    """Built from the files that it wants kept, and no sizes, it takes its own weights as they are: a part of a run.

    So it does with what `reference` tells, on the meta device.
    """
    backbone = built_again(BackboneTrial(trial.case.beside_weights()), trial.build())
    state = backbone.state_dict()
    adapted = backbone.adapt(state).tensors
    for name in sorted(state.keys() ^ adapted.keys()):
        yield f"`adapt` of its own weights {'leaves out' if name in state else 'makes up'} `{name}`"
    for name in sorted(state.keys() & adapted.keys()):
        if adapted[name].data_ptr() != state[name].data_ptr():
            yield f"`adapt` of its own weights copies `{name}`, which needs no change"
    with suppress(ValueError):  # the pretrained weights may be larger than the backbone that is tried
        for name, tensor in backbone.adapt(backbone.reference()).tensors.items():
            if name not in state or tensor.shape != state[name].shape or not tensor.is_meta:
                yield f"`adapt(reference())` gives `{name}` as {list(tensor.shape)} on {tensor.device.type}"


def preparation_goes_along_without_weights(trial: BackboneTrial) -> Iterator[str]:
    """`prepare` can be sent to worker processes, holds no weights, and does the same there, each time."""
    backbone = trial.build()
    for name in parts_with_weights(backbone.prepare):
        yield f"`prepare` takes a {name} along to every worker process"
    again = taken_along(backbone.prepare)
    for sample in trial.samples:
        for prepare, where in ((backbone.prepare, "a second time"), (again, "in a worker process")):
            for difference in differences(backbone.prepare(sample), prepare(sample)):
                yield f"`prepare` gives something else {where}: {difference}"


def kept_files_build_it_again(trial: BackboneTrial) -> Iterator[str]:
    """Built beside the files that it wants kept, and given its weights, it prepares and answers as before."""
    backbone = trial.build().eval()
    again = built_again(trial, backbone).eval()
    again.load_state_dict(backbone.state_dict())
    values = join([again.prepare(sample) for sample in trial.samples], again.padding_value)
    with torch.no_grad():
        for difference in differences(features(backbone, trial.values), features(again, values)):
            yield f"built again from `files()`: {difference}"


LAWS = (
    *modules.LAWS,
    shapes_are_those_it_tells,
    example_is_like_prepared_values,
    layer_groups_name_every_tensor_once,
    own_weights_fit,
    preparation_goes_along_without_weights,
    kept_files_build_it_again,
)
