"""The feature cache: it changes nothing but the time, whatever is frozen, absent, padded or changed."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo.training.frozen
from zoo.checkpoint.tensors import read_tensors
from zoo.data.feature_store import FeatureStore
from zoo.spec.load import load_spec
from zoo.training.progress import Silent
from zoo.training.train import Run, train

SPEC = """\
inputs:
  photo: {type: image, backbone: {use: timm/test_resnet, weights: none, resolution: 32}, transfer: frozen}
  note: {type: text, backbone: {use: transformers/bert, weights: none, tokenizer: {train: wordpiece, vocab_size: 60},
         config: {hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 32}},
         transfer: frozen}
  price: {type: vector, columns: [price], backbone: {use: zoo/mlp, width: 8, layers: 1}}
fusion: zoo/concat
heads: {kind: zoo/classifier}
data: {train: train.csv, validation: 0.25}
train: {epochs: 3, batch_size: 16, learning_rate: 0.01}
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


class Remarks(Silent):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def remark(self, text: str) -> None:
        self.told.append(text)


def write(folder: Path, spec: str = SPEC) -> Path:
    random = np.random.default_rng(0)
    lines = ["photo,note,price,kind"]
    for row in range(64):
        kind = row % 2
        picture = random.integers(0, 120, (32, 32, 3), dtype=np.uint8) + np.uint8(120 * kind)
        Image.fromarray(picture).save(folder / f"{row}.png")
        words = " ".join(random.choice(["red", "blue", "green"], 1 + row % 5))
        photo = "" if row % 10 == 3 else f"{row}.png"
        lines.append(f"{photo},{'' if row % 7 == 5 else words},{random.normal():.3f},{'ab'[kind]}")
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    (folder / "spec.yaml").write_text(spec)
    return folder / "spec.yaml"


def run(path: Path, *settings: str) -> tuple[Run, list[str]]:
    watch = Remarks()
    return train(load_spec(path, overrides=settings), watch=watch), [each for each in watch.told if "features" in each]


def differ(one: Run, two: Run) -> float:
    """The largest difference of their weights."""
    first, second = one.model.state_dict(), two.model.state_dict()
    assert first.keys() == second.keys()
    return max(float((first[name].double() - second[name].double()).abs().max()) for name in first)


ONLY_PHOTO = ["inputs.note.transfer.policy=full"]


@pytest.mark.parametrize("fusion", [["fusion=zoo/concat"], ["fusion=zoo/token-transformer"]], ids=["pooled", "tokens"])
@pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16", marks=pytest.mark.slow)])
def test_of_inputs_of_fixed_size_it_changes_not_one_bit(tmp_path: Path, fusion: list[str], precision: str) -> None:
    path = write(tmp_path)
    settings = [*ONLY_PHOTO, *fusion, f"train.precision={precision}"]
    cached, told = run(path, *settings)
    plain, nothing = run(path, *settings, "train.cache=false")
    assert told and not nothing
    assert differ(cached, plain) == 0
    assert cached.metrics == plain.metrics


@pytest.mark.parametrize("fusion", ["zoo/concat", "zoo/token-transformer"])
def test_of_padded_inputs_it_changes_rounding_alone(tmp_path: Path, fusion: str) -> None:
    path = write(tmp_path)
    cached, _ = run(path, f"fusion={fusion}")
    plain, _ = run(path, f"fusion={fusion}", "train.cache=false")
    assert differ(cached, plain) < 1e-4
    losses = [[record["loss"] for record in each.history] for each in (cached, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_second_training_computes_nothing_and_is_the_same(tmp_path: Path) -> None:
    path = write(tmp_path)
    first, told = run(path)
    second, again = run(path)
    assert "photo, note" in told[0] and re.search(
        r": 96 computed in \d+\.\d s, 16 found in", told[0]
    )  # some notes come several times
    assert ": 0 computed, 112 found in" in again[0]
    assert differ(first, second) == 0


def test_another_head_and_another_split_find_the_features(tmp_path: Path) -> None:
    path = write(tmp_path)
    run(path, *ONLY_PHOTO)
    _, told = run(path, *ONLY_PHOTO, "heads.kind.layers=1", "data.validation=0.5", "train.epochs=2")
    assert ": 0 computed, 57 found" in told[0]
    _, told = run(path, *ONLY_PHOTO, "train.seed=1", "train.epochs=2")  # other random weights
    assert ": 57 computed" in told[0]


def test_a_changed_file_is_computed_anew(tmp_path: Path) -> None:
    path = write(tmp_path)
    first, _ = run(path, *ONLY_PHOTO)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "0.png")
    second, told = run(path, *ONLY_PHOTO)
    assert re.search(r": 1 computed in \d+\.\d s, 56 found", told[0])
    assert differ(second, run(path, *ONLY_PHOTO, "train.cache=false")[0]) == 0
    assert differ(first, second) > 0


def test_nothing_is_kept_where_nothing_is_frozen(tmp_path: Path, own_cache: Path) -> None:
    path = write(tmp_path)
    _, told = run(path, "inputs.photo.transfer=full", "inputs.note.transfer.policy=last:1", "train.epochs=2")
    assert not told and not own_cache.exists()
    _, told = run(path, "train.epochs=1")
    assert not told and not own_cache.exists()


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = write(tmp_path), tmp_path / "cache" / "features"
    run(path, *ONLY_PHOTO, "train.epochs=2")
    (first,) = (each for each in cache.iterdir() if each.is_dir())
    taken = sum(each.stat().st_size for each in first.iterdir())
    monkeypatch.setattr(zoo.training.frozen, "MOST", taken * 3 // 2)
    run(path, *ONLY_PHOTO, "train.epochs=2", "train.seed=1")
    left = [each for each in cache.iterdir() if each.is_dir()]
    assert len(left) == 1 and left != [first]


def test_two_that_write_at_once_do_no_harm(tmp_path: Path) -> None:
    from zoo.features import Features

    digests = np.random.default_rng(0).integers(0, 256, (6, 16), dtype=np.uint8)
    features = Features(torch.rand(6, 3, 4), torch.rand(6, 5))
    one, two = FeatureStore(tmp_path / "key", 4, True), FeatureStore(tmp_path / "key", 4, True)
    one.add(digests[:4], [features.rows(torch.arange(4))])
    two.add(digests, [features])
    one.refresh()
    for store in (one, two, FeatureStore(tmp_path / "key", 4, True)):
        found = store.features(store.find(digests[[5, 0, 2]]))
        assert torch.equal(found.pooled, features.pooled[[5, 0, 2]])
        assert torch.equal(found.tokens, features.tokens[[5, 0, 2]])
    assert (one.find(np.zeros((1, 16), np.uint8)) == -1).all()


@pytest.mark.slow
def test_two_processes_that_train_at_once_compute_each_feature_once(tmp_path: Path) -> None:
    write(tmp_path)
    command = [sys.executable, "-m", "zoo", "train", "spec.yaml", "--set", "train.epochs=2", "-o"]
    started = [
        subprocess.Popen([*command, each], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for each in ("one", "two")
    ]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], told
    found = [re.search(r": (\d+) computed.*, (\d+) found in", each) for each in told]
    counts = sorted((int(each[1]), int(each[2])) for each in found if each)
    assert [sum(column) for column in zip(*counts, strict=True)] == [96, 128], told
    one, two = (read_tensors(tmp_path / each / "model.safetensors") for each in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)
