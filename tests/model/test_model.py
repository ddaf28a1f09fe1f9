"""The whole model: losses and their weights, rows without labels, auxiliary heads, shared backbones, predictions."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.toys.models import toy_model
from zoo.features import Batch, Targets, Values
from zoo.model.model import ZooModel

TWO = """\
inputs:
  photo: {type: toy/picture, backbone: toy/conv}
  steps: {type: toy/steps, backbone: toy/recurrent}
fusion: toy/mean
heads:
  mood: {use: toy/choice, classes: [bad, good]}
  size: {use: toy/choice, classes: [small, middle, large], weight: 0.5}
"""
ROWS = 6


def batch(rows: int = ROWS, **targets: Targets) -> Batch:
    generator = torch.Generator().manual_seed(0)
    photo = Values(torch.randn(rows, 3, 16, 16, generator=generator))
    steps = Values(torch.randn(rows, 8, 3, generator=generator), torch.arange(rows) % 8 + 1)
    return Batch({"photo": photo, "steps": steps}, targets, ids=tuple(range(100, 100 + rows)))


def labels(*values: int, rows: list[int] | None = None) -> Targets:
    return Targets(torch.tensor(values), None if rows is None else torch.tensor(rows))


MOODS, SIZES = labels(0, 1, 1, 0, 1, 0), labels(2, 1, 0, 0, 1, 2)


@pytest.fixture
def model() -> ZooModel:
    return toy_model(TWO)


def test_the_loss_is_that_of_the_heads_by_their_weights(model: ZooModel) -> None:
    result = model.eval()(batch(mood=MOODS, size=SIZES))
    assert list(result.losses) == ["mood", "size"]
    expected = result.losses["mood"] + 0.5 * result.losses["size"]
    torch.testing.assert_close(model.loss(result), expected)


def test_rows_without_a_label_are_not_in_that_heads_loss(model: ZooModel) -> None:
    some = model.eval()(batch(mood=labels(1, 0, rows=[1, 4]), size=SIZES))
    every = model(batch(mood=MOODS, size=SIZES))
    assert some.outputs["mood"].shape == (2, 2)
    assert torch.equal(some.outputs["mood"], every.outputs["mood"][[1, 4]])
    assert torch.equal(some.losses["size"], every.losses["size"])
    expected = torch.nn.functional.cross_entropy(every.outputs["mood"][[1, 4]], torch.tensor([1, 0]))
    torch.testing.assert_close(some.losses["mood"], expected)


def test_a_head_without_a_label_in_the_batch_has_no_loss(model: ZooModel) -> None:
    result = model.eval()(batch(size=SIZES))
    assert list(result.losses) == ["size"]
    assert result.outputs["mood"].shape == (ROWS, 2)


def test_a_batch_without_labels_has_no_loss_to_lower(model: ZooModel) -> None:
    with pytest.raises(ValueError, match="no row of this batch has a label"):
        model.loss(model(batch()))


def test_auxiliary_heads_learn_from_each_input_alone() -> None:
    model = toy_model(TWO + "balance: {aux: 0.8}\n")
    plain = toy_model(TWO)
    result = model.eval()(batch(mood=MOODS, size=SIZES))
    names = ["mood", "mood/photo", "mood/steps", "size", "size/photo", "size/steps"]
    assert list(result.losses) == names
    weights = [1, 0.4, 0.4, 0.5, 0.2, 0.2]
    expected = sum(weight * result.losses[name] for name, weight in zip(names, weights, strict=True))
    torch.testing.assert_close(model.loss(result), torch.as_tensor(expected))
    # They change nothing of what the model says, and start none of its parts otherwise.
    assert torch.equal(result.outputs["mood"], plain.eval()(batch()).outputs["mood"])


def test_an_auxiliary_head_reads_its_input_and_no_other() -> None:
    model = toy_model(TWO + "balance: {aux: 1}\n")
    whole = batch(mood=MOODS)
    gone = torch.ones(ROWS, dtype=torch.bool)
    without = Batch({**whole.inputs, "steps": whole.inputs["steps"].without(gone)}, whole.targets)
    first, second = model.eval()(whole), model(without)
    assert torch.equal(first.losses["mood/photo"], second.losses["mood/photo"])
    assert not torch.equal(first.losses["mood/steps"], second.losses["mood/steps"])


def test_one_input_has_no_auxiliary_heads() -> None:
    one = "inputs: {photo: {type: toy/picture, backbone: toy/conv}}\nbalance: {aux: 1}\n"
    model = toy_model(one + "heads: {mood: {use: toy/choice, classes: [bad, good]}}\n")
    pictures = Batch({"photo": batch().inputs["photo"]}, {"mood": MOODS})
    assert list(model(pictures).losses) == ["mood"]


SHARED = TWO.replace(
    "steps: {type: toy/steps, backbone: toy/recurrent}", "back: {type: toy/picture, backbone: {same_as: photo}}"
)


def test_a_shared_backbone_is_one_module_with_the_gradients_of_both_inputs() -> None:
    model = toy_model(SHARED)
    assert list(model.backbones) == ["photo"]
    assert model.backbone("back") is model.backbone("photo")
    pictures = [batch().inputs["photo"].data for _ in range(2)]
    both = Batch({"photo": Values(pictures[0]), "back": Values(pictures[1])}, {"mood": MOODS})
    features = model.eval().features(both.inputs)
    assert torch.equal(features["photo"].pooled, features["back"].pooled)
    gone = both.inputs["photo"].without(torch.ones(ROWS, dtype=torch.bool))
    half = replace(both, inputs={**both.inputs, "photo": gone})
    gradients = []
    for each in (both, half):
        model.zero_grad()
        torch.autograd.backward(model.loss(model(each)))
        weight = model.get_parameter("backbones.photo.first.0.weight").grad
        assert weight is not None
        gradients.append(weight.clone())
    assert gradients[1].any()
    assert not torch.equal(*gradients)


def test_predictions_are_one_for_each_row_in_order(model: ZooModel) -> None:
    whole = batch()
    told = model.eval().predict(whole)
    assert list(told) == ["mood", "size"]
    for row in range(ROWS):
        alone = model.predict(whole.rows(torch.tensor([row])))
        assert {name: values[0] for name, values in alone.items()} == {name: told[name][row] for name in told}


def test_absent_inputs_change_nothing_of_other_rows(model: ZooModel) -> None:
    whole = batch()
    there = torch.tensor([True, False, True, True, False, False])
    photo = whole.inputs["photo"]
    assert isinstance(photo.data, Tensor)
    photo.data[~there] = torch.nan
    mixed = model.eval()(Batch({"photo": Values(photo.data, present=there), "steps": whole.inputs["steps"]}))
    clean = model(batch())
    assert mixed.outputs["mood"].isfinite().all()
    torch.testing.assert_close(mixed.outputs["mood"][there], clean.outputs["mood"][there])
    assert not torch.equal(mixed.outputs["mood"][~there], clean.outputs["mood"][~there])


def test_train_leaves_frozen_modules_in_eval(model: ZooModel) -> None:
    frozen = model.backbone("photo")
    model.frozen = list(frozen.modules())
    model.train()
    assert not any(module.training for module in frozen.modules())
    assert model.training
    assert all(module.training for module in model.backbone("steps").modules())


def test_parts_are_started_from_the_seed_and_their_place_alone() -> None:
    first, second = toy_model(TWO), toy_model(TWO.replace("toy/recurrent", "{use: toy/recurrent, width: 4}"))
    for name, each in first.backbone("photo").state_dict().items():
        assert torch.equal(each, second.backbone("photo").state_dict()[name])
    other = toy_model(TWO + "train: {seed: 1}\n")
    assert not torch.equal(*(each.get_parameter("backbones.photo.first.0.weight") for each in (first, other)))


def test_what_became_of_each_part_is_told(model: ZooModel) -> None:
    assert set(model.starts) == {"backbones.photo", "backbones.steps"}
    assert set(model.starts["backbones.steps"].new) == set(model.backbone("steps").state_dict())
    assert model.sources == {}
