from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.plugins.tiny_timm import CASES, Case, make_case, pictures
from zoo import Features
from zoo.checkpoint.loading import assign, started
from zoo.checkpoint.unallocated import Unallocated
from zoo_timm.backbone import TimmBackbone

FAMILIES = 20


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module")
def backbone(case: Case) -> TimmBackbone:
    return make_case(case)


@pytest.fixture
def evaluated(backbone: TimmBackbone) -> Iterator[TimmBackbone]:
    yield backbone.eval()
    backbone.train()


def run(backbone: TimmBackbone) -> Features:
    with torch.no_grad():
        features: Features = backbone(pictures(backbone))
    return features


def tensors(features: Features) -> list[Tensor]:
    return [features.tokens, features.pooled, *features.maps]


def same(one: Features, other: Features) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


def test_thirty_models_of_twenty_families() -> None:
    modules = {type(make_case(case).network).__module__ for case in CASES[:20]}
    modules |= {case.name.partition("_")[0] for case in CASES[20:]}
    assert len(CASES) >= 30
    assert len(modules) >= FAMILIES


def test_features_have_the_shapes_that_were_announced(evaluated: TimmBackbone) -> None:
    spec, features = evaluated.features, run(evaluated)
    assert features.tokens.shape == (2, spec.tokens, spec.dim)
    assert features.pooled.shape == (2, spec.pooled_dim)
    assert features.mask is None
    assert all(each.isfinite().all() for each in tensors(features))


def test_shapes_on_meta_are_those_of_the_real_backbone(case: Case, backbone: TimmBackbone) -> None:
    with torch.device("meta"):
        planned = make_case(case)
    assert planned.features == backbone.features
    assert {name: each.shape for name, each in planned.state_dict().items()} == {
        name: each.shape for name, each in backbone.state_dict().items()
    }
    assert all(each.is_meta for each in planned.parameters())
    assert planned.example(3).data.device.type == "cpu"


def test_every_parameter_learns(backbone: TimmBackbone) -> None:
    backbone.zero_grad()
    features = backbone(pictures(backbone, batch=4))
    (features.tokens.square().mean() + features.pooled.square().mean()).backward()
    without = [name for name, each in backbone.named_parameters() if each.grad is None]
    assert without == []
    assert all(each.grad is not None and each.grad.isfinite().all() for each in backbone.parameters())


def test_saved_and_loaded_it_gives_the_same_bits(case: Case, evaluated: TimmBackbone, tmp_path: Path) -> None:
    save_file({name: each.clone() for name, each in evaluated.state_dict().items()}, tmp_path / "model.safetensors")
    expected = run(evaluated)
    stored = load_file(tmp_path / "model.safetensors")
    loaded, start = started(lambda: make_case(case), lambda built: stored)
    assert isinstance(loaded, TimmBackbone)
    assert same(run(loaded.eval()), expected)
    assert (start.resized, start.new, start.unused) == ({}, (), ())


def test_assigned_to_unallocated_it_gives_the_same_bits(case: Case, evaluated: TimmBackbone) -> None:
    with Unallocated():
        built = make_case(case)
    assign(built, evaluated.state_dict())
    buffers = dict(built.named_buffers())
    assert all(torch.equal(buffers[name], each) for name, each in evaluated.named_buffers())
    assert same(run(built.eval()), run(evaluated))


def test_layer_groups_name_each_tensor_once(backbone: TimmBackbone) -> None:
    groups = backbone.layer_groups()
    assert sorted(name for group in groups for name in group) == sorted(backbone.state_dict())
    assert len(groups) > 2
    assert all(groups)


def test_the_first_group_reads_the_picture(backbone: TimmBackbone) -> None:
    said = backbone.network.pretrained_cfg["first_conv"]
    first = [said] if isinstance(said, str) else said
    assert {f"network.{name}.weight" for name in first} <= set(backbone.layer_groups()[0])


def test_pyramid_is_finest_first_and_leaves_the_features_as_they_are(evaluated: TimmBackbone) -> None:
    spec, values = evaluated.features, pictures(evaluated)
    side = values.data.shape[-1]
    with torch.no_grad():
        features = evaluated.pyramid(values)
    assert torch.equal(features.tokens, run(evaluated).tokens)
    assert torch.equal(features.pooled, run(evaluated).pooled)
    assert [each.shape[1] for each in features.maps] == [channels for channels, _ in spec.maps]
    assert [stride for _, stride in spec.maps] == sorted({stride for _, stride in spec.maps})
    for level, (_, stride) in zip(features.maps, spec.maps, strict=True):
        assert abs(level.shape[-1] - side / stride) < 1


def test_stages_are_pooled_outputs_by_depth(evaluated: TimmBackbone) -> None:
    with torch.no_grad():
        stages = evaluated.stages(pictures(evaluated))
    assert len(stages) >= 2
    assert all(each.shape[0] == 2 and each.ndim == 2 and each.isfinite().all() for each in stages)
    assert not torch.equal(stages[-1], stages[-2])


def test_other_rows_change_a_row_by_rounding_alone(evaluated: TimmBackbone) -> None:
    values = pictures(evaluated, batch=3)
    with torch.no_grad():
        together, alone = evaluated(values), evaluated(values.rows(torch.tensor([1])))
    torch.testing.assert_close(together.pooled[1:2], alone.pooled, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together.tokens[1:2], alone.tokens, rtol=1e-4, atol=1e-5)
