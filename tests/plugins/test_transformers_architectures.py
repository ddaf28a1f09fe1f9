import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.plugins.tiny_transformers import CASES, Case, context, make, sample_values, store
from zoo.checkpoint.loading import assign, started
from zoo.checkpoint.unallocated import Unallocated
from zoo.features import Features

every = pytest.mark.parametrize("case", CASES, ids=str)


def equal(one: Features, other: Features) -> bool:
    return torch.equal(one.tokens, other.tokens) and torch.equal(one.pooled, other.pooled)


@every
def test_shapes_are_those_that_were_told(case: Case) -> None:
    backbone = make(case)
    features = backbone(backbone.example(2))
    assert features.tokens.shape[::2] == (2, backbone.features.dim)
    assert features.pooled.shape == (2, backbone.features.pooled_dim)
    assert backbone.features.tokens in (None, features.tokens.shape[1])
    assert features.mask is None


@every
def test_shapes_on_the_meta_device_are_the_real_ones(case: Case) -> None:
    backbone = make(case)
    with torch.device("meta"):
        planned = make(case)
        features = planned(planned.example(2))
    real = backbone(backbone.example(2))
    assert all(each.is_meta for each in planned.parameters())
    assert (features.tokens.shape, features.pooled.shape) == (real.tokens.shape, real.pooled.shape)
    assert shapes(planned.state_dict()) == shapes(backbone.state_dict())


def shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: each.shape for name, each in state.items()}


@every
def test_every_parameter_learns(case: Case) -> None:
    backbone = make(case).train()
    features = backbone(sample_values(case))
    (features.tokens.square().mean() + features.pooled.square().mean()).backward()
    idle = {name for name, each in backbone.named_parameters() if each.requires_grad and each.grad is None}
    assert idle == set()
    assert all(each.grad.isfinite().all() for each in backbone.parameters() if each.grad is not None)


@every
def test_a_file_of_weights_gives_the_same_outputs_bit_for_bit(case: Case, tmp_path: Path) -> None:
    backbone, values = make(case), sample_values(case)
    path = tmp_path / "model.safetensors"
    save_file({name: each.contiguous() for name, each in backbone.state_dict().items()}, path)
    state = load_file(path)

    def build() -> object:
        return make(case)

    loaded, start = started(build, lambda built: state)  # type: ignore[arg-type]  # an Encoder
    assert set(start.kept) == set(state)
    assert equal(loaded.eval()(values), backbone(values))


@every
def test_a_network_without_memory_is_made_whole_by_assigning(case: Case) -> None:
    backbone, values = make(case), sample_values(case)
    with Unallocated():
        empty = make(case)
    assert sum(each.is_meta for each in empty.parameters()) > len(list(empty.parameters())) / 3
    assign(empty, backbone.state_dict())
    assert equal(empty(values), backbone(values))
    assert all(torch.equal(own, other) for own, other in zip(empty.buffers(), backbone.buffers(), strict=True))


@every
def test_layer_groups_name_everything_once(case: Case) -> None:
    backbone = make(case)
    groups = backbone.layer_groups()
    assert sorted(name for group in groups for name in group) == sorted(backbone.state_dict())
    assert all(groups)
    layers = [group for group in groups if any(f".{number}." in name for name in group for number in range(3))]
    assert len(layers) >= 2


@every
def test_stages_end_in_what_is_pooled(case: Case) -> None:
    backbone, values = make(case), sample_values(case)
    stages = backbone.stages(values)
    assert len(stages) == len(case.config.get("depths", (0, 0, 0)))
    assert all(len(stage) == 3 and stage.dim() == 2 for stage in stages)
    assert torch.equal(stages[-1], backbone(values).pooled)


@every
def test_what_prepares_values_can_be_sent_to_another_process(case: Case) -> None:
    backbone = make(case)
    sent = pickle.dumps(backbone.prepare)
    assert len(sent) < 200_000
    assert type(pickle.loads(sent)) is type(backbone.prepare)


@every
def test_its_files_build_it_again_without_its_repository(case: Case, tmp_path: Path) -> None:
    from tests.plugins.tiny_transformers import VALUES
    from zoo_transformers.backbone import build
    from zoo_transformers.declaration import Transformers

    backbone, values = make(case), sample_values(case)
    files = store(tmp_path, backbone.files())
    again = build(Transformers(), context("some/repository", VALUES[case.modality], files)).eval()
    again.load_state_dict(backbone.state_dict(), strict=True)
    assert equal(again(values), backbone(values))
    assert again.files() == backbone.files()
    assert again.features == backbone.features
