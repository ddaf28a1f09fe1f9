"""A prefix captioner: the contract carries a head with a language model as a part."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.toys.batches import fell, toy_batch, toy_predictions, toy_training
from tests.toys.captioner import spelled
from tests.toys.models import toy_model, toy_spec
from zoo.checkpoint.lock import parts as named
from zoo.checkpoint.tensors import digest
from zoo.errors import SpecError
from zoo.features import Targets, Values
from zoo.model.model import ZooModel
from zoo.spec.paths import moved
from zoo.spec.render import render_spec, spec_data
from zoo.transfer.freeze import parts as trainable

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/conv, dropout: 0.0}}
heads:
  caption: {use: toy/captioner, decoder: {use: toy/lm, weights: none, transfer: frozen}, max_length: 8}
train: {learning_rate: 0.01}
"""
DECODER = "heads.caption.parts.decoder"
COLOURS = ["red", "green", "blue"]


def rows(count: int = 12) -> list[dict[str, object]]:
    """Pictures of one bright colour each, and its name."""
    generator = torch.Generator().manual_seed(0)
    told = []
    for number in range(count):
        picture = 0.1 * torch.randn(3, 16, 16, generator=generator)
        picture[number % 3] += 1
        told.append({"photo": picture, "caption": COLOURS[number % 3]})
    return told


def digests(model: ZooModel, prefix: str) -> dict[str, str]:
    return {name: digest(each) for name, each in model.state_dict().items() if name.startswith(prefix)}


def test_the_part_is_checked_as_every_backbone_is() -> None:
    with pytest.raises(SpecError, match="unknown key `dimm`") as caught:
        toy_spec(SPEC.replace("weights: none,", "dimm: 8,"))
    assert caught.value.problems[0].path == "heads.caption.decoder.dimm"
    with pytest.raises(SpecError, match="unknown backbone `toy/lmm`"):
        toy_spec(SPEC.replace("toy/lm,", "toy/lmm,"))
    with pytest.raises(SpecError, match="`toy/lm` has no pretrained weights"):
        toy_spec(SPEC.replace("weights: none", "weights: pretrained"))
    with pytest.raises(SpecError, match="unknown policy"):
        toy_spec(SPEC.replace("transfer: frozen", "transfer: frozzen"))


def test_the_part_can_be_named_in_short() -> None:
    spec = toy_spec(SPEC.replace("{use: toy/lm, weights: none, transfer: frozen}", "toy/lm"))
    assert spec_data(spec)["heads"]["caption"]["decoder"]["dim"] == 32


def test_the_canonical_form_has_the_part(tmp_path: Path) -> None:
    spec = toy_spec(SPEC)
    assert spec_data(spec)["heads"]["caption"]["decoder"]["transfer"]["policy"] == "zoo/frozen"
    assert toy_spec(render_spec(spec)) == spec
    local = toy_spec(SPEC.replace("weights: none", "weights: lm.safetensors"), tmp_path / "specs")
    there = moved(local, tmp_path)
    assert spec_data(there)["heads"]["caption"]["decoder"]["weights"] == "specs/lm.safetensors"


def test_the_part_is_one_to_lock_plan_and_transfer() -> None:
    model = toy_model(SPEC)
    assert "toy/lm" in {part.registered.name for part in named(model.spec)}
    assert list(model.backbone_parts()) == ["backbones.photo", DECODER]
    assert DECODER in model.starts
    seen = {part.name: part for part in trainable(model)}
    assert seen[DECODER].chosen
    assert not any("decoder" in name for name in seen["heads.caption"].names)


def test_the_part_has_the_start_of_its_place() -> None:
    first, second = toy_model(SPEC), toy_model(SPEC.replace("width: 8, ", "").replace("max_length: 8", "prefix: 3"))
    assert digests(first, DECODER) == digests(second, DECODER)


def test_a_frozen_part_is_frozen_while_the_head_learns() -> None:
    model = toy_model(SPEC)
    before = digests(model, "")
    losses = toy_training(model, rows(), epochs=60, batch_size=12)
    after = digests(model, "")
    assert fell(losses) < 0.9
    frozen = {name for name in before if name.startswith(DECODER)}
    assert frozen
    assert {name for name in before if before[name] == after[name]} == frozen
    assert not any(module.training for module in model.get_submodule(DECODER).modules())


@pytest.mark.slow
def test_a_part_that_is_trained_writes_the_captions() -> None:
    model = toy_model(SPEC.replace(", transfer: frozen", ""))
    toy_training(model, rows(), epochs=150, batch_size=12)
    told = toy_predictions(model, rows())
    assert told == [row["caption"] for row in rows()]
    assert json.loads(json.dumps(told)) == told


def test_teacher_forcing_gives_what_writing_letter_by_letter_gives() -> None:
    model = toy_model(SPEC).eval()
    batch = toy_batch(model, rows(3))
    scores = model(batch).outputs["caption"]["scores"]
    decoder = model.backbone_parts()[DECODER]
    prefix = model(batch).outputs["caption"]["prefix"]
    for row, word in enumerate(COLOURS):
        letters = spelled(word)
        for place in range(len(letters)):
            tokens, _ = decoder.embed(Values(letters[None, :place]))
            alone = decoder.logits(torch.cat([prefix[row : row + 1], tokens], 1))[0, -1]
            torch.testing.assert_close(alone, scores[row, place])


def test_what_stands_behind_a_shorter_caption_changes_no_loss() -> None:
    model = toy_model(SPEC).eval()
    batch = toy_batch(model, rows(3))
    targets = batch.targets["caption"].value
    assert targets.lengths.tolist() == [4, 6, 5]
    garbage = Values(torch.where(targets.mask, targets.data, 7), targets.lengths)
    assert (garbage.data != targets.data).any()
    spoilt = replace(batch, targets={"caption": Targets(garbage)})
    assert torch.equal(model(spoilt).losses["caption"], model(batch).losses["caption"])
