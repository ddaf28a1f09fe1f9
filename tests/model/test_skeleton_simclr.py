"""SimCLR: the contract carries heads without labels, and views of a sample through the same backbone."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.toys.batches import fell, toy_batch, toy_predictions, toy_training
from tests.toys.models import toy_model, toy_spec
from tests.toys.simclr import nt_xent
from zoo.data.columns import part_columns
from zoo.errors import SpecError

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/conv, dropout: 0.0}}
heads:
  contrast: {use: toy/simclr, temperature: 0.2}
train: {learning_rate: 0.01}
"""


def pictures(count: int = 8) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [{"photo": torch.randn(3, 16, 16, generator=generator)} for _ in range(count)]


def test_a_head_without_labels_has_no_column() -> None:
    assert part_columns(toy_spec(SPEC).heads["contrast"]) == ()
    with pytest.raises(SpecError, match="`toy/simclr` learns without labels, so that it has no column"):
        toy_spec(SPEC.replace("temperature: 0.2", "column: label"))


def test_two_views_go_through_the_backbone_of_the_input() -> None:
    model = toy_model(SPEC).eval()
    batch = toy_batch(model, pictures())
    assert len(batch.views["contrast"]) == 2
    first, second = (view["photo"].data for view in batch.views["contrast"])
    assert isinstance(first, torch.Tensor)
    assert isinstance(second, torch.Tensor)
    assert not torch.equal(first, second)
    outputs = model(batch).outputs["contrast"]
    projection = model.head("contrast").get_submodule("projection")
    backbone = model.backbone("photo")
    for number, view in enumerate(batch.views["contrast"]):
        assert torch.equal(outputs[:, number], projection(backbone(view["photo"]).pooled))


def test_training_tells_pictures_apart() -> None:
    model = toy_model(SPEC)
    assert fell(toy_training(model, pictures(12), epochs=40, batch_size=12)) < 0.6
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_predictions_are_embeddings_of_the_picture_itself() -> None:
    told = toy_predictions(toy_model(SPEC), pictures(3))
    assert [len(row) for row in told] == [8, 8, 8]
    assert type(told[0][0]) is float


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 20), st.sampled_from([0.1, 0.5, 1.0]))
def test_where_all_look_alike_the_loss_is_that_of_a_guess(pairs: int, temperature: float) -> None:
    same = torch.ones(pairs, 4)
    expected = torch.tensor(math.log(2 * pairs - 1))
    torch.testing.assert_close(nt_xent(same, 3 * same, temperature), expected)


def test_the_loss_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(3, 5), torch.randn(3, 5)
    views, other = torch.cat([first, second]), [3, 4, 5, 0, 1, 2]
    total = 0.0
    for row in range(6):
        near = [math.exp(float(F.cosine_similarity(views[row], views[each], 0)) / 0.2) for each in range(6)]
        total -= math.log(near[other[row]] / (sum(near) - near[row])) / 6
    torch.testing.assert_close(nt_xent(first, second, 0.2), torch.tensor(total))


def test_the_temperature_has_its_effect() -> None:
    warm = toy_model(SPEC.replace("0.2", "2.0")).eval()
    cold = toy_model(SPEC).eval()
    batch = toy_batch(warm, pictures())
    assert not torch.equal(warm(batch).losses["contrast"], cold(batch).losses["contrast"])
