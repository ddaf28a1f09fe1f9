"""A plan says what building, training and running the model would show."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.command import run
from tests.tables import write_tables
from zoo import build, plan
from zoo.errors import UsageError
from zoo.features import Batch
from zoo.model.device import Device
from zoo.model.model import ZooModel
from zoo.planning.plan import Plan
from zoo.transfer.freeze import apply_transfer

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
BERT = {**SIZES, "vocab_size": 90}
PHOTO = {"type": "image", "backbone": {"use": "timm/test_resnet", "weights": "none", "resolution": 64}}
REVIEW = {"type": "text", "max_length": 20, "backbone": {"use": "transformers/bert", "weights": "none", "config": BERT}}
VOICE = {
    "type": "audio",
    "max_seconds": 0.5,
    "frontend": {"use": "torchaudio/log-mel", "n_mels": 32},
    "backbone": {"use": "timm/test_vit", "weights": "none", "resolution": 64},
}
STEPS = {
    "type": "audio",
    "max_seconds": 0.5,
    "backbone": {"use": "transformers/wav2vec2", "weights": "none", "config": {**SIZES, "conv_dim": [16] * 7}},
}
HEADS: dict[str, Any] = {"mood": {"use": "zoo/classifier", "classes": ["a", "b", "c"]}}
CPU = Device("cpu", "CPU", 10**9)


def spec(heads: dict[str, Any] = HEADS, more: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    return {"inputs": inputs, "heads": heads, **(more or {})}


SPECS = {
    "picture": spec(photo=PHOTO),
    "text": spec(review=REVIEW),
    "sound": spec(voice=VOICE),
    "waveform": spec(steps=STEPS),
    "three": spec(photo=PHOTO, review=REVIEW, voice=VOICE),
    "three, pooled": spec(more={"fusion": {"use": "zoo/token-transformer", "dim": 16, "heads": 2, "reads": "pooled"}},
                          photo=PHOTO, review=REVIEW, voice=VOICE),
    "concat": spec(more={"fusion": "zoo/concat"}, photo=PHOTO, review=REVIEW),
    "gated": spec(more={"fusion": "zoo/gated"}, photo=PHOTO, review=REVIEW),
    "late": spec(more={"fusion": "zoo/late"}, photo=PHOTO, review=REVIEW),
    "shared": spec(photo=PHOTO, other={"type": "image", "backbone": {"same_as": "photo"}}),
    "frozen": spec(more={"transfer": {"policy": "full", "freeze": ["backbones.photo.*"]}}, photo=PHOTO, review=REVIEW),
    "auxiliary": spec(more={"balance": {"aux": 1.0}}, photo=PHOTO, review=REVIEW),
    "several labels": spec(
        {"tags": {"use": "zoo/classifier", "classes": ["x", "y"], "multi_label": True}}, photo=PHOTO
    ),
}  # fmt: skip
ALL = pytest.mark.parametrize("name", SPECS)


def built(name: str) -> ZooModel:
    model = build(SPECS[name])
    apply_transfer(model)
    return model


@ALL
def test_parameters_are_those_of_the_model(name: str) -> None:
    planned, model = plan(SPECS[name]), built(name)
    assert planned.parameters == sum(each.numel() for each in model.parameters())
    assert planned.trainable == sum(each.numel() for each in model.parameters() if each.requires_grad)
    for place, part in planned.parts.items():
        own = [each for own, each in model.get_submodule(place).named_parameters() if not own.startswith("parts.")]
        assert part.parameters == sum(each.numel() for each in own)
        assert part.trainable == sum(each.numel() for each in own if each.requires_grad)


@ALL
def test_shapes_are_those_of_the_model(name: str) -> None:
    planned, model = plan(SPECS[name]), built(name).eval()
    assert planned.route == "the meta device"
    values = {name: model.backbone(name).example(2) for name in model.inputs}
    with torch.no_grad():
        features = model.features(values)
        result = model.decide(Batch(values), features)
    for each, found in features.items():
        told = planned.inputs[each]
        assert found.tokens.shape == (2, told.gives.tokens, told.gives.dim)
        assert found.pooled.shape == (2, told.gives.pooled_dim)
        assert told.reads == tuple(values[each].data.shape[1:])  # type: ignore[union-attr]  # stacked examples
    for head, outputs in result.outputs.items():
        assert planned.outputs[head] == tuple(outputs.shape[1:])
    assert (planned.fused is None) == (model.fusion is None)


@ALL
def test_nothing_takes_memory_or_random_numbers(name: str) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, second = plan(SPECS[name], device=CPU), plan(SPECS[name], device=CPU)
    assert torch.equal(before, torch.get_rng_state())
    assert first.as_dict() == second.as_dict()


def test_memory_grows_with_the_batch_and_with_what_is_trained() -> None:
    freezing = {**SPECS["concat"], "transfer": {"policy": "full", "freeze": ["backbones.photo.*"]}}
    whole, frozen = plan(SPECS["concat"], device=CPU).memory, plan(freezing, device=CPU).memory
    assert whole is not None and frozen is not None
    sizes = [1, 2, 8, 64]
    assert sorted(map(whole.training, sizes)) == [whole.training(size) for size in sizes]
    assert all(whole.inference(size) < whole.training(size) for size in sizes)
    assert frozen.training(64) < whole.training(64)


def test_the_largest_batch_fits_and_the_next_does_not() -> None:
    memory = plan(SPECS["picture"], device=Device("cpu", "CPU", 300_000_000)).memory
    assert memory is not None and memory.largest_batch_size is not None
    assert memory.training(memory.largest_batch_size) <= 300_000_000 < memory.training(memory.largest_batch_size + 1)
    assert memory.fits is (memory.largest_batch_size >= memory.batch_size)


def test_what_never_fits_is_told() -> None:
    tiny = plan(SPECS["picture"], device=Device("cpu", "CPU", 1000))
    assert tiny.memory is not None
    assert (tiny.memory.fits, tiny.memory.largest_batch_size) == (False, 0)
    assert "whatever the batch size" in repr(tiny)


def test_a_device_that_does_not_tell_its_memory() -> None:
    planned = plan(SPECS["picture"], device=Device("cpu", "CPU", None))
    assert planned.memory is not None
    assert (planned.memory.fits, planned.memory.largest_batch_size) == (None, None)
    assert "it fits" not in repr(planned)


def test_the_optimiser_and_the_best_epoch_are_counted() -> None:
    without = plan({**SPECS["text"], "data": {"validation": None}}, device=CPU)
    with_best = plan(SPECS["text"], device=CPU)
    assert with_best.memory is not None and without.memory is not None
    kept = with_best.memory.training(1) - without.memory.training(1)
    assert kept == sum(each.nbytes for each in built("text").moving().values())
    assert without.memory.training(1) > 4 * 4 * without.trainable  # weights, gradients, two means


def test_low_precision_takes_less_for_activations() -> None:
    full = plan({**SPECS["three"], "train": {"precision": "fp32"}}, device=CPU).memory
    low = plan({**SPECS["three"], "train": {"precision": "bf16"}}, device=CPU).memory
    assert full is not None and low is not None
    assert low.training(512) < 0.8 * full.training(512)
    assert low.precision == "bf16"


def test_a_shared_backbone_is_counted_once_and_told_twice() -> None:
    planned = plan(SPECS["shared"])
    assert {each.part for each in planned.inputs.values()} == {"backbones.photo"}
    assert [place for place in planned.parts if place.startswith("backbones.")] == ["backbones.photo"]
    assert "timm/test_resnet of photo" in repr(planned)


def test_pretrained_weights_are_told_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    photo = {"type": "image", "channels": 1, "backbone": {"use": "timm/resnet18.a1_in1k", "resolution": 96}}
    planned = plan(spec(photo=photo))
    part = planned.parts["backbones.photo"]
    assert part.start is not None
    assert part.start.resized == {"network.conv1.weight": "3 input channels summed to 1"}
    assert "fc.weight" in part.start.unused and part.start.new == ()
    assert planned.download_bytes is None
    assert planned.download_estimate == pytest.approx(4 * 11.2e6, rel=0.05)
    assert "about 45 MB to fetch (estimated from shapes)" in repr(planned)
    assert "network.conv1.weight: 3 input channels summed to 1" in repr(planned)


def test_weights_on_this_machine_need_not_be_fetched(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = build(SPECS["picture"]).backbone("photo").state_dict()
    save_file({name: each.clone() for name, each in state.items()}, tmp_path / "model.safetensors")
    photo = {**PHOTO, "backbone": {"use": "timm/test_resnet", "resolution": 64, "weights": str(tmp_path)}}
    planned = plan(spec(photo=photo))
    start = planned.parts["backbones.photo"].start
    assert planned.download_bytes == 0
    assert start is not None and set(start.kept) == set(state) and start.new == ()


def test_classes_are_learnt_from_the_data(tmp_path: Path) -> None:
    planned = plan(write_tables(tmp_path))
    assert planned.outputs == {"kind": (2,), "size": (1,)}
    with pytest.raises(UsageError, match="learnt from the training rows"):
        plan(spec({"mood": "zoo/classifier"}, photo=PHOTO))


def test_the_verb_prints_and_says_what_is_next(tmp_path: Path) -> None:
    path = write_tables(tmp_path)
    done = run("plan", path)
    assert done.exit_code == 0, done.stderr
    for words in ("parameters", "zoo/mlp", "zoo/concat", "memory on the CPU", "batch  training  prediction", "it fits"):
        assert words in done.stdout
    assert f"next: zoo train {path}" in done.stderr


def test_the_verb_as_json(tmp_path: Path) -> None:
    told = json.loads(run("plan", write_tables(tmp_path), "--json").stdout)
    planned = plan(tmp_path / "spec.yaml")
    assert told["parameters"] == {"total": planned.parameters, "trainable": planned.trainable}
    left = told["inputs"]["left"]
    assert (left["backbone"], left["dim"], left["parameters"]) == (
        "zoo/mlp",
        16,
        planned.parts["backbones.left"].parameters,
    )
    assert set(told["memory"]["training"]) == {"1", "8", "16", "32", "128"}
    assert told["memory"]["fits"] is True and told["download_bytes"] == 0
    assert told["heads"]["kind"]["outputs"] == [2]


def test_a_wrong_spec_is_told_at_its_line(tmp_path: Path) -> None:
    path = write_tables(tmp_path)
    path.write_text(path.read_text().replace("width: 16", "widht: 16", 1))
    done = run("plan", path)
    assert done.exit_code == 2
    assert "did you mean `width`" in done.stderr


def test_a_plan_shows_itself_in_a_notebook() -> None:
    planned = plan(SPECS["three"], device=CPU)
    assert isinstance(planned, Plan)
    lines = repr(planned).splitlines()
    assert lines[0].startswith("spec: ") and "parameters" in lines[0]
    assert max(map(len, lines)) < 160
