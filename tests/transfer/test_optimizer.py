"""AdamW's groups: a rate for each part, layer decay, no decay on vectors, and the pull toward the start."""

from pathlib import Path

import pytest
import torch
from torch.optim import AdamW

from tests.toys.models import toy_model
from zoo.checkpoint.tensors import write_tensors
from zoo.model.model import ZooModel
from zoo.transfer.freeze import apply_transfer
from zoo.transfer.optimizer import Anchor, make_optimizer

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/vit, weights: vit.safetensors}}
  steps: {type: toy/steps, backbone: toy/recurrent}
fusion: toy/mean
heads:
  mood: {use: toy/choice, classes: [bad, good]}
train: {learning_rate: 0.02, weight_decay: 0.3}
"""
PHOTO = "backbones.photo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with weights for the pictures' backbone."""
    vit = toy_model(SPEC.replace("{use: toy/vit, weights: vit.safetensors}", "toy/vit")).backbone("photo")
    write_tensors(tmp_path / "vit.safetensors", vit.state_dict())
    return tmp_path


def model_with(transfer: str, folder: Path) -> ZooModel:
    model = toy_model(f"{SPEC}transfer: {transfer}\n", folder)
    apply_transfer(model)
    return model


def settings_of(model: ZooModel, optimizer: AdamW, key: str) -> dict[str, float]:
    """The rate or the weight decay of each parameter that is trained."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(each)]: group[key] for group in optimizer.param_groups for each in group["params"]}


def test_pretrained_parts_have_a_tenth_of_the_rate(folder: Path) -> None:
    model = model_with("full", folder)
    for name, rate in settings_of(model, make_optimizer(model), "lr").items():
        assert rate == pytest.approx(0.002 if name.startswith(PHOTO) else 0.02), name


@pytest.mark.parametrize("transfer", ["full", "{policy: full, layer_decay: 0.5}", "{policy: full, l2_sp: 0.1}"])
def test_what_the_weights_lacked_has_the_whole_rate_and_no_pull(tmp_path: Path, transfer: str) -> None:
    vit = toy_model(SPEC.replace("{use: toy/vit, weights: vit.safetensors}", "toy/vit")).backbone("photo")
    state = vit.state_dict()
    lacked = next(name for name, each in vit.named_parameters() if each.ndim > 1)
    del state[lacked]
    write_tensors(tmp_path / "vit.safetensors", state)
    model = model_with(transfer, tmp_path)
    optimizer = make_optimizer(model)
    rates = settings_of(model, optimizer, "lr")
    assert rates[f"{PHOTO}.{lacked}"] == pytest.approx(0.02)
    assert all(rate < 0.01 for name, rate in rates.items() if name.startswith(PHOTO) and not name.endswith(lacked))
    assert settings_of(model, optimizer, "weight_decay")[f"{PHOTO}.{lacked}"] == 0.3
    before = model.get_parameter(f"{PHOTO}.{lacked}").detach().clone()
    with torch.no_grad():
        model.get_parameter(f"{PHOTO}.{lacked}").add_(1)
    Anchor(model, optimizer).pull()
    assert torch.equal(model.get_parameter(f"{PHOTO}.{lacked}"), before + 1)


def test_every_trained_parameter_is_optimised_once_and_no_other(folder: Path) -> None:
    model = model_with("{policy: last:1, freeze: ['fusion.projections.steps.*']}", folder)
    optimizer = make_optimizer(model)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert f"{PHOTO}.positions" not in trained
    assert "fusion.projections.steps.weight" not in trained
    assert set(settings_of(model, optimizer, "lr")) == trained
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(trained)


def test_layer_decay_is_a_power_of_the_depth(folder: Path) -> None:
    """Group l of L has d^(L+1-l) of the rate: 0.5^3, 0.5^2 and 0.5 of the groups of the transformer."""
    model = model_with("{layer_decay: 0.5}", folder)
    rates = settings_of(model, make_optimizer(model), "lr")
    for prefix, expected in (("embedding.", 0.00025), ("positions", 0.0005), ("block.", 0.001)):
        named = [rate for name, rate in rates.items() if name.startswith(f"{PHOTO}.{prefix}")]
        assert named == pytest.approx([expected] * len(named))
    # A backbone that starts at random has no depth to keep; nor have fusion and heads.
    others = [rate for name, rate in rates.items() if not name.startswith(PHOTO)]
    assert others == pytest.approx([0.02] * len(others))


def test_layer_decay_of_one_input_is_its_own(folder: Path) -> None:
    spec = SPEC.replace("vit.safetensors}", "vit.safetensors}, transfer: {layer_decay: 0.1}")
    model = toy_model(spec + "transfer: {layer_decay: 0.5}\n", folder)
    rates = settings_of(model, make_optimizer(model), "lr")
    assert rates[f"{PHOTO}.embedding.weight"] == pytest.approx(0.002 * 0.1**3)


def test_vectors_have_no_weight_decay(folder: Path) -> None:
    model = model_with("full", folder)
    decays = settings_of(model, make_optimizer(model), "weight_decay")
    for name, parameter in model.named_parameters():
        assert decays[name] == (0.3 if parameter.ndim > 1 else 0.0), name
    assert {0.3, 0.0} == set(decays.values())


def test_what_is_pulled_to_its_start_is_not_pulled_to_zero(folder: Path) -> None:
    model = model_with("{l2_sp: 0.5}", folder)
    decays = settings_of(model, make_optimizer(model), "weight_decay")
    assert {decays[name] for name in decays if name.startswith(PHOTO)} == {0.0}
    assert decays["heads.mood.linear.weight"] == 0.3


def test_the_anchor_pulls_pretrained_weights_by_rate_and_strength(folder: Path) -> None:
    model = model_with("{l2_sp: 0.5}", folder)
    anchor = Anchor(model, make_optimizer(model))
    start = {name: each.detach().clone() for name, each in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    anchor.pull()
    for name, parameter in model.named_parameters():
        moved = 1 - 0.002 * 0.5 if name.startswith(PHOTO) else 1.0
        torch.testing.assert_close(parameter.detach(), start[name] + moved)


def test_the_anchor_follows_the_rate_of_the_moment(folder: Path) -> None:
    model = model_with("{l2_sp: 0.5}", folder)
    optimizer = make_optimizer(model)
    anchor = Anchor(model, optimizer)
    weight = model.get_parameter(f"{PHOTO}.embedding.weight")
    start = weight.detach().clone()
    for group in optimizer.param_groups:
        group["lr"] = 100.0  # more than a whole step is one step, and not beyond the start
    with torch.no_grad():
        weight.add_(1)
    anchor.pull()
    torch.testing.assert_close(weight.detach(), start)


def test_without_l2_sp_nothing_is_pulled(folder: Path) -> None:
    model = model_with("full", folder)
    anchor = Anchor(model, make_optimizer(model))
    weight = model.get_parameter(f"{PHOTO}.embedding.weight")
    with torch.no_grad():
        weight.add_(1)
    before = weight.detach().clone()
    anchor.pull()
    assert torch.equal(weight.detach(), before)


def test_frozen_weights_are_not_pulled(folder: Path) -> None:
    model = model_with("{policy: frozen, l2_sp: 0.5}", folder)
    Anchor(model, make_optimizer(model)).pull()
    assert PHOTO not in " ".join(settings_of(model, make_optimizer(model), "lr"))
