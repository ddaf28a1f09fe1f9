"""A masked autoencoder: the contract carries heads that run a backbone on the tokens of their choice."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.toys.batches import fell, toy_batch, toy_predictions, toy_training
from tests.toys.mae import patches
from tests.toys.models import toy_model, toy_spec
from zoo.contract import Backbone
from zoo.errors import SpecError
from zoo.features import Features, Values
from zoo.model.model import ZooModel

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: toy/vit}
heads:
  paint: {use: toy/mae}
train: {learning_rate: 0.01}
"""
TOKENS, KEPT = 16, 4


def stripes(count: int) -> list[dict[str, torch.Tensor]]:
    """Pictures of one colour that changes from left to right: a quarter tells the rest."""
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(-1, 1, 16).expand(3, 16, 16)
    return [{"photo": ramp * torch.randn(3, 1, 1, generator=generator)} for _ in range(count)]


@pytest.fixture
def model() -> ZooModel:
    return toy_model(SPEC)


def test_a_backbone_without_encode_is_refused() -> None:
    with pytest.raises(SpecError, match="`toy/mae` needs encode"):
        toy_spec(SPEC.replace("toy/vit", "toy/conv"))


def test_forward_is_encode_after_embed(model: ZooModel) -> None:
    backbone = model.backbone("photo")
    values = toy_batch(model, stripes(3)).inputs["photo"]
    whole = backbone(values)
    again = backbone.encode(*backbone.embed(values))
    assert torch.equal(whole.tokens, again.tokens)
    assert torch.equal(whole.pooled, again.pooled)
    # In any order of the patches, because they bring their positions.
    order = torch.arange(TOKENS).flip(0).expand(3, -1)
    turned = backbone.encode(*backbone.embed(values), order)
    torch.testing.assert_close(turned.tokens.flip(1), whole.tokens)


def test_three_quarters_are_masked_and_every_row_by_its_own_choice(model: ZooModel) -> None:
    masked = model.train()(toy_batch(model, stripes(8))).outputs["paint"]["masked"]
    assert masked.sum(1).tolist() == [TOKENS - KEPT] * 8
    assert len({tuple(row) for row in masked.tolist()}) > 1
    half = toy_model(SPEC.replace("toy/mae", "toy/mae, mask: 0.5"))
    assert half(toy_batch(half, stripes(2))).outputs["paint"]["masked"].sum(1).tolist() == [8, 8]


def test_only_masked_patches_are_in_the_loss(model: ZooModel) -> None:
    result = model(toy_batch(model, stripes(4)))
    outputs = result.outputs["paint"]
    spoilt = torch.where(outputs["masked"][..., None], outputs["pixels"], torch.nan)
    assert torch.equal(model.head("paint").loss({**outputs, "pixels": spoilt}, None), result.losses["paint"])
    away = torch.where(outputs["masked"][..., None], outputs["pixels"] + 1, outputs["pixels"])
    assert not torch.equal(model.head("paint").loss({**outputs, "pixels": away}, None), result.losses["paint"])


def test_the_encoder_sees_the_kept_patches_alone(model: ZooModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    encode = type(model.backbone("photo")).encode

    def watched(self: Backbone, *arguments: Any) -> Features:
        features = encode(self, *arguments)
        seen.append(features.tokens.shape[1])
        return features

    monkeypatch.setattr(type(model.backbone("photo")), "encode", watched)
    batch = toy_batch(model.eval(), stripes(2))
    first = model(batch).outputs["paint"]
    assert seen == [TOKENS, KEPT]  # of `forward`, and of the head
    data = batch.inputs["photo"].data
    assert isinstance(data, torch.Tensor)
    hidden = first["masked"].view(2, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    other = replace(batch, inputs={"photo": Values(torch.where(hidden, data + 5, data))})
    assert torch.equal(model(other).outputs["paint"]["pixels"], first["pixels"])


def test_training_paints_what_it_does_not_see(model: ZooModel) -> None:
    torch.manual_seed(0)
    assert fell(toy_training(model, stripes(16), epochs=60, batch_size=16)) < 0.5
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_row_is_told_the_same_whoever_is_beside_it(model: ZooModel) -> None:
    rows = stripes(5)
    together = toy_predictions(model, rows)
    for row, told in zip(rows, together, strict=True):
        (alone,) = toy_predictions(model, [row])
        assert alone == pytest.approx(told, rel=1e-5)
        assert type(alone) is float


def test_patches_are_cut_row_by_row() -> None:
    picture = torch.arange(3 * 16 * 16.0).view(1, 3, 16, 16)
    second = patches(picture)[0, 1].view(3, 4, 4)
    assert torch.equal(second, picture[0, :, :4, 4:8])


def test_the_loss_is_there_where_the_head_learns(model: ZooModel) -> None:
    assert list(model(toy_batch(model, stripes(2))).losses) == ["paint"]
    assert list(model(toy_batch(model, stripes(2), ())).losses) == []
