"""Law 3, frozen is frozen: gradients off, norm statistics and dropout in eval, every tensor's digest the same."""

from pathlib import Path

import pytest
import torch

from tests.toys.batches import toy_batch, toy_training
from tests.toys.models import toy_model
from zoo.checkpoint.tensors import digest, write_tensors
from zoo.errors import CorruptError, UsageError
from zoo.model.model import ZooModel
from zoo.transfer.freeze import apply_transfer, parts

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/conv, weights: conv.safetensors}}
  steps: {type: toy/steps, backbone: toy/recurrent}
fusion: toy/mean
heads:
  mood: {use: toy/choice, classes: [bad, good]}
balance: {aux: 0.5}
train: {learning_rate: 0.01}
"""
PHOTO = "backbones.photo."
FIRST, SECOND = PHOTO + "first.", PHOTO + "second."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with weights for the pictures' backbone."""
    conv = toy_model(SPEC.replace("{use: toy/conv, weights: conv.safetensors}", "toy/conv")).backbone("photo")
    write_tensors(tmp_path / "conv.safetensors", conv.state_dict())
    return tmp_path


def rows() -> list[dict[str, object]]:
    generator = torch.Generator().manual_seed(0)
    return [
        {
            "photo": torch.randn(3, 16, 16, generator=generator),
            "steps": torch.randn(1 + number % 4, 3, generator=generator),
            "mood": ["bad", "good"][number % 2],
        }
        for number in range(12)
    ]


def moved_by_training(model: ZooModel) -> set[str]:
    """Names of the parameters and buffers that are others after a few steps."""
    before = {name: digest(each) for name, each in model.state_dict().items()}
    toy_training(model, rows(), epochs=2, batch_size=6)
    return {name for name, each in model.state_dict().items() if digest(each) != before[name]}


def within(model: ZooModel, *prefixes: str) -> set[str]:
    return {name for name in model.state_dict() if name.startswith(prefixes)}


def test_without_freezing_every_tensor_moves(folder: Path) -> None:
    model = toy_model(SPEC, folder)
    assert moved_by_training(model) == within(model, "")
    assert model.frozen == []


def test_a_frozen_backbone_keeps_every_tensor_norm_statistics_too(folder: Path) -> None:
    model = toy_model(SPEC + "transfer: frozen\n", folder)
    assert moved_by_training(model) == within(model, "") - within(model, PHOTO)
    assert not any(parameter.requires_grad for parameter in model.backbone("photo").parameters())


LACKED = SECOND + "0.bias"


@pytest.fixture
def lacking(tmp_path: Path) -> Path:
    """A folder with weights that lack a tensor of the pictures' backbone."""
    conv = toy_model(SPEC.replace("{use: toy/conv, weights: conv.safetensors}", "toy/conv")).backbone("photo")
    state = conv.state_dict()
    del state[LACKED.removeprefix(PHOTO)]
    write_tensors(tmp_path / "conv.safetensors", state)
    return tmp_path


@pytest.mark.parametrize("transfer", ["transfer: frozen\n", "transfer: {policy: frozen, freeze: ['*.first.*']}\n"])
def test_what_the_weights_lacked_is_trained_in_a_frozen_backbone(lacking: Path, transfer: str) -> None:
    model = toy_model(SPEC + transfer, lacking)
    moved = moved_by_training(model)
    parameters = {name for name, _ in model.backbone("photo").named_parameters(PHOTO.rstrip("."))}
    assert moved & parameters == {LACKED}


def test_what_the_weights_lacked_is_trained_whoever_froze_the_rest(lacking: Path) -> None:
    model = toy_model(SPEC.replace("conv.safetensors}", "conv.safetensors}, transfer: frozen"), lacking)
    apply_transfer(model)
    assert model.get_parameter(LACKED).requires_grad
    assert not model.get_parameter(FIRST + "0.weight").requires_grad


def test_a_pattern_freezes_what_the_weights_lacked(lacking: Path) -> None:
    model = toy_model(SPEC + f"transfer: {{freeze: ['{LACKED}']}}\n", lacking)
    assert LACKED not in moved_by_training(model)


def test_a_frozen_backbone_is_in_eval_while_the_rest_trains(folder: Path) -> None:
    model = toy_model(SPEC + "transfer: frozen\n", folder)
    apply_transfer(model)
    model.eval().train()
    assert not any(module.training for module in model.backbone("photo").modules())
    assert all(module.training for module in model.heads["mood"].modules())
    values = toy_batch(model, rows()).inputs
    # Its dropout of one half would make this all but impossible.
    assert torch.equal(*(model.features(values)["photo"].tokens for _ in range(2)))


def test_a_random_backbone_is_not_left_random(folder: Path) -> None:
    model = toy_model(SPEC.replace(", weights: conv.safetensors", "") + "transfer: frozen\n")
    assert within(model, PHOTO) < moved_by_training(model)


def test_a_backbone_with_its_own_transfer_is_frozen_though_it_is_random() -> None:
    spec = SPEC.replace(", weights: conv.safetensors}", "}, transfer: frozen")
    model = toy_model(spec)
    assert moved_by_training(model) == within(model, "") - within(model, PHOTO)


def test_an_own_transfer_takes_the_place_of_the_wholes(folder: Path) -> None:
    spec = SPEC.replace("conv.safetensors}", "conv.safetensors}, transfer: full") + "transfer: frozen\n"
    model = toy_model(spec, folder)
    assert moved_by_training(model) == within(model, "")


def test_the_last_group_alone_is_trained_its_norm_without_scale_too(folder: Path) -> None:
    model = toy_model(SPEC + "transfer: last:1\n", folder)
    assert moved_by_training(model) == within(model, "") - within(model, FIRST)
    photo = model.train().backbone("photo")
    assert not any(module.training for module in photo.get_submodule("first").modules())
    assert all(module.training for module in photo.get_submodule("second").modules())
    # Dropout has no tensors; it goes with what stands before it.
    assert not photo.get_submodule("dropout").training


def test_more_groups_than_there_are_is_all_of_them(folder: Path) -> None:
    model = toy_model(SPEC + "transfer: last:2\n", folder)
    assert moved_by_training(model) == within(model, "")


@pytest.mark.parametrize(
    ("pattern", "frozen"),
    [
        ("backbones.photo.first.*", (FIRST,)),
        ("*.first.*", (FIRST,)),
        ("backbones.photo.second.0.weight", (SECOND + "0.weight",)),
        ("backbones.p?oto.[f]irst.1.*", (FIRST + "1.",)),
        ("heads.*", ("heads.",)),
    ],
)
def test_patterns_freeze_what_they_match(pattern: str, frozen: tuple[str, ...], folder: Path) -> None:
    model = toy_model(f"{SPEC}transfer: {{freeze: ['{pattern}']}}\n", folder)
    assert moved_by_training(model) == within(model, "") - within(model, *frozen)


def test_patterns_of_an_input_are_names_within_its_backbone(folder: Path) -> None:
    own = "conv.safetensors}, transfer: {freeze: ['first.*']}"
    model = toy_model(SPEC.replace("conv.safetensors}", own), folder)
    assert moved_by_training(model) == within(model, "") - within(model, FIRST)


def test_patterns_hold_whatever_the_policy_says(folder: Path) -> None:
    model = toy_model(SPEC + "transfer: {policy: last:1, freeze: ['*.second.*']}\n", folder)
    assert moved_by_training(model) == within(model, "") - within(model, PHOTO)


@pytest.mark.parametrize(
    ("transfer", "told"),
    [
        ("transfer: {freeze: ['backbones.photo.frist.*']}\n", "`transfer`: `freeze` has `backbones.photo.frist.*`"),
        ("transfer: {freeze: [heads.mood.linear.bais]}\n", "did you mean `heads.mood.linear.bias`"),
        ("transfer: {freeze: ['first.*']}\n", "which matches no parameter"),
        ("transfer: {freeze: ['backbones.phto.*']}\n", "did you mean `backbones.photo.*`?"),
    ],
)
def test_a_pattern_that_matches_nothing_is_an_error(transfer: str, told: str, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        apply_transfer(toy_model(SPEC + transfer, folder))
    assert told in str(caught.value)


def test_a_pattern_of_an_input_that_matches_nothing_is_an_error(folder: Path) -> None:
    own = "conv.safetensors}, transfer: {freeze: ['heads.*']}"
    with pytest.raises(UsageError, match=r"the `transfer` of `backbones.photo`: `freeze` has `heads\.\*`"):
        apply_transfer(toy_model(SPEC.replace("conv.safetensors}", own), folder))


def test_with_nothing_left_to_train_it_is_an_error(folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing is left to train"):
        apply_transfer(toy_model(SPEC + "transfer: {freeze: ['*']}\n", folder))


def test_every_parameter_belongs_to_one_part(folder: Path) -> None:
    model = toy_model(SPEC, folder)
    named = [f"{part.name}.{name}" for part in parts(model) for name in part.names]
    assert sorted(named) == sorted(name for name, _ in model.named_parameters())
    assert {part.name: part.pretrained for part in parts(model)} == {
        "backbones.photo": True,
        "backbones.steps": False,
        "fusion": False,
        "heads.mood": False,
        "auxiliary.mood": False,
    }


def test_thawing_again_is_a_matter_of_applying_another_transfer(folder: Path) -> None:
    frozen, full = (toy_model(f"{SPEC}transfer: {policy}\n", folder) for policy in ("frozen", "full"))
    apply_transfer(frozen)
    frozen.spec = full.spec
    assert moved_by_training(frozen) == within(full, "")


def test_a_norm_whose_statistics_the_weights_lack_is_refused(folder: Path) -> None:
    conv = toy_model(SPEC.replace("{use: toy/conv, weights: conv.safetensors}", "toy/conv")).backbone("photo")
    state = conv.state_dict()
    del state["first.1.running_mean"]
    write_tensors(folder / "lacking.safetensors", state)
    with pytest.raises(CorruptError, match=r"lack `first\.1\.running_mean`"):
        toy_model(SPEC.replace("conv.safetensors", "lacking.safetensors"), folder)
