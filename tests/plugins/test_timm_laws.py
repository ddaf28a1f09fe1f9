from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from timm.models import model_entrypoint
from torch import Tensor

from tests.plugins.tiny_timm import CASES, Case, make_case, pictures
from zoo import Features
from zoo.checkpoint.loading import started
from zoo.checkpoint.tensors import align, read_tensors, write_tensors
from zoo_timm.backbone import TimmBackbone
from zoo_timm.network import stages_of

WITHOUT_TOKENS = {"coat_tiny", "crossvit_tiny_240", "pit_ti_224"}
"""What comes out of these is several sequences, or a class token alone."""


PARAMS = [
    pytest.param(case, id=str(case), marks=() if number % 3 == 0 else pytest.mark.slow)
    for number, case in enumerate(CASES)
]
"""A third of them at once, all of them with the slow tests."""


@pytest.fixture(scope="module", params=PARAMS)
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
    assert len({case.name for case in CASES}) >= 30
    assert len({model_entrypoint(case.name).__module__ for case in CASES}) >= 20


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
    assert torch.as_tensor(planned.example(3).data).device.type == "cpu"


def test_features_are_those_of_timm_to_the_last_bit(case: Case, evaluated: TimmBackbone) -> None:
    sized = {"img_size": case.resolution} if evaluated.network.pretrained_cfg["fixed_input_size"] else {}
    sized = {} if case.resolution is None else sized
    network = timm.create_model(case.name, num_classes=0, **sized, **case.model).eval()
    network.load_state_dict(evaluated.network.state_dict())
    data, features = pictures(evaluated).data, run(evaluated)
    with torch.no_grad():
        trunk = network.forward_features(data)
        assert torch.equal(features.pooled, network.forward_head(trunk, pre_logits=True))
        last = network.forward_intermediates(data, indices=[len(stages_of(network)) - 1], intermediates_only=True)[0]
    if case.name in WITHOUT_TOKENS:
        assert torch.equal(features.tokens, last.flatten(2).transpose(1, 2))
    elif trunk.ndim == 3:
        assert torch.equal(features.tokens, trunk[:, -features.tokens.shape[1] :])
    else:
        rows = trunk if getattr(network, "output_fmt", "NCHW") == "NHWC" else trunk.permute(0, 2, 3, 1)
        assert rows.shape[1:3] == last.shape[2:]
        assert torch.equal(features.tokens, rows.flatten(1, 2))


def test_every_parameter_learns(backbone: TimmBackbone) -> None:
    backbone.zero_grad()
    features = backbone(pictures(backbone, batch=4))
    (features.tokens.square().mean() + features.pooled.square().mean()).backward()
    without = [name for name, each in backbone.named_parameters() if each.grad is None]
    assert without == []
    assert all(each.grad is not None and each.grad.isfinite().all() for each in backbone.parameters())


def test_saved_and_loaded_it_gives_the_same_bits(case: Case, evaluated: TimmBackbone, tmp_path: Path) -> None:
    write_tensors(tmp_path / "model.safetensors", {name: each.clone() for name, each in evaluated.state_dict().items()})
    stored = read_tensors(tmp_path / "model.safetensors")
    loaded, start = started(lambda: make_case(case), lambda built: stored)
    align(loaded)
    buffers = dict(loaded.named_buffers())
    assert all(torch.equal(buffers[name], each) for name, each in evaluated.named_buffers())
    assert isinstance(loaded, TimmBackbone)
    assert same(run(loaded.eval()), run(evaluated))
    assert (start.resized, start.new, start.unused) == ({}, (), ())


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
    side = torch.as_tensor(values.data).shape[-1]
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
