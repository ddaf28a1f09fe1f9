"""A detector on pictures of different sizes: the contract carries maps, lists of pictures and structured labels."""

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.toys.batches import fell, toy_batch, toy_predictions, toy_training
from tests.toys.detector import focal_loss, iou
from tests.toys.models import toy_model, toy_spec
from zoo.data.columns import part_columns
from zoo.errors import SpecError
from zoo.model.model import ZooModel

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/pyramid, width: 16}}
heads:
  objects: {use: toy/fcos, columns: {labels: kinds}, classes: [red, blue]}
train: {learning_rate: 0.01}
"""
SIZES = [(32, 40), (48, 32), (40, 40), (32, 32)]
Row = dict[str, Any]
Trained = tuple[ZooModel, list[float]]


def picture(number: int) -> Row:
    """A dark picture with one or two bright rectangles."""
    generator = torch.Generator().manual_seed(number)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    height, width = SIZES[number % len(SIZES)]
    pixels = 0.1 * torch.rand(3, height, width, generator=generator)
    boxes, kinds = [], []
    for side in range(draw(1, 3)):
        wide, high = draw(8, 14), draw(8, 14)
        # One in the left half and one in the right, so that none hides another.
        left, top = side * width // 2 + draw(0, width // 2 - wide + 1), draw(0, height - high + 1)
        kinds.append(["red", "blue"][draw(0, 2)])
        pixels[0 if kinds[-1] == "red" else 2, top : top + high, left : left + wide] = 1
        boxes.append([left, top, left + wide, top + high])
    return {"photo": pixels, "boxes": boxes, "kinds": kinds}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [picture(number) for number in range(48)]


@pytest.fixture(scope="module")
def trained(rows: list[Row]) -> Trained:
    """A detector after a few passes, and its losses."""
    model = toy_model(SPEC)
    losses = toy_training(model, rows, epochs=12, batch_size=16)
    return model.eval(), losses


def test_the_columns_are_those_of_boxes_and_labels() -> None:
    assert part_columns(toy_spec(SPEC).heads["objects"]) == ("boxes", "kinds")


def test_columns_are_checked_as_all_options_are() -> None:
    with pytest.raises(SpecError, match="unknown key `boxs`") as caught:
        toy_spec(SPEC.replace("labels: kinds", "boxs: x"))
    assert caught.value.problems[0].suggestion == "boxes"
    with pytest.raises(SpecError, match="both `column` and `columns` are given"):
        toy_spec(SPEC.replace("columns:", "column: x, columns:"))


def test_a_backbone_without_maps_is_refused() -> None:
    with pytest.raises(SpecError, match="`toy/fcos` needs maps, which `toy/conv` does not provide"):
        toy_spec(SPEC.replace("toy/pyramid", "toy/conv"))


def test_pictures_of_different_sizes_come_as_a_list(rows: list[Row]) -> None:
    model = toy_model(SPEC)
    batch = toy_batch(model, rows[:4])
    data = batch.inputs["photo"].data
    assert [tuple(each.shape[1:]) for each in data] == SIZES
    features = model.features(batch.inputs)["photo"]
    assert [tuple(each.shape) for each in features.maps] == [(4, 16, 12, 10), (4, 16, 6, 5)]
    moved = batch.to("meta")
    assert isinstance(moved.inputs["photo"].data, list)
    assert moved.targets["objects"].value["boxes"][0].is_meta


@pytest.mark.slow
def test_training_lowers_the_loss_and_finds_the_objects(trained: Trained, rows: list[Row]) -> None:
    model, losses = trained
    assert fell(losses) < 0.6
    batch = toy_batch(model, rows)
    result = model(batch)
    recall = model.head("objects").metrics["recall"].compute
    assert recall(model.head("objects").rows(result.outputs["objects"], batch.targets["objects"].value)) > 0.9


def test_a_picture_alone_gets_the_boxes_that_it_gets_among_others(trained: Trained, rows: list[Row]) -> None:
    model, _ = trained
    together = toy_predictions(model, rows[:8])
    assert sum(len(each["boxes"]) for each in together) >= 8
    for row, told in enumerate(together):
        (alone,) = toy_predictions(model, [rows[row]])
        assert alone["labels"] == told["labels"]
        torch.testing.assert_close(torch.tensor(alone["boxes"]), torch.tensor(told["boxes"]), rtol=1e-5, atol=1e-4)
    assert json.loads(json.dumps(together)) == together


def test_the_canvas_alone_would_not_do(trained: Trained, rows: list[Row]) -> None:
    """Why the backbone is `exact`: on the canvas of a larger picture its features are others."""
    model, _ = trained
    alone = toy_batch(model, rows[3:4]).inputs
    mixed = toy_batch(model, rows[:4]).inputs
    backbone = model.backbone("photo")
    assert (backbone(alone["photo"]).pooled - backbone(mixed["photo"]).pooled[3]).abs().max() > 1e-3


def test_a_box_can_be_a_corner_and_a_size() -> None:
    model = toy_model(SPEC.replace("labels: kinds", "labels: kinds, format: xywh"))
    boxes, labels = model.head("objects").label({"boxes": [[1, 2, 3, 4]], "kinds": ["blue"]})
    assert (boxes.tolist(), labels.tolist()) == ([[1, 2, 4, 6]], [1])


def test_a_picture_without_objects_has_a_loss(rows: list[Row]) -> None:
    model = toy_model(SPEC)
    empty = {**rows[0], "boxes": [], "kinds": []}
    loss = model.loss(model(toy_batch(model, [empty, rows[1]])))
    torch.autograd.backward(loss)
    assert loss.isfinite()


def test_the_threshold_drops_boxes(trained: Trained, rows: list[Row]) -> None:
    strict = toy_model(SPEC.replace("classes:", "threshold: 1.0, classes:"))
    strict.load_state_dict(trained[0].state_dict())
    assert not any(each["boxes"] for each in toy_predictions(strict, rows[:4]))


def test_iou_and_focal_loss_by_their_formulas() -> None:
    first, second = Tensor([0, 0, 4, 4]), Tensor([2, 2, 6, 6])
    torch.testing.assert_close(iou(first, second), torch.tensor(4 / 28))
    # At a score of 0: 0.25 * 0.5^2 * ln 2 for an object, 0.75 * 0.5^2 * ln 2 for none.
    loss = focal_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    torch.testing.assert_close(loss, 0.25 * torch.tensor(2.0).log())
