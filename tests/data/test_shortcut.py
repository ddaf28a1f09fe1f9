import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

from tests.command import run
from zoo.data.digits.sound import TONES
from zoo.data.shortcut.make import COLOURS, make_shortcut

SPLITS = ("train", "validation", "test")


def table(folder: Path, split: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(folder / f"{split}.parquet").to_pylist()
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("data") / "shortcut"
    result = run("data", "make", "shortcut", "--rows", "400", "--strength", "0.8", "-o", made, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["rows"] == {"train": 400, "validation": 40, "test": 80}
    return made


@pytest.mark.slow
def test_the_same_bytes_are_written_each_time_and_others_by_another_seed(folder: Path, tmp_path: Path) -> None:
    make_shortcut(tmp_path / "again", 400, strength=0.8)
    make_shortcut(tmp_path / "other", 400, seed=1, strength=0.8)
    for name in (*(f"{split}.parquet" for split in SPLITS), "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_the_hint_is_right_as_often_as_is_said_and_random_in_the_test(folder: Path) -> None:
    rights = {split: np.mean([row["hint"] == row["label"] for row in table(folder, split)]) for split in SPLITS}
    assert 0.76 < rights["train"] < 0.88  # 0.8 + 0.2 / 10
    assert rights["test"] < 0.25
    card = (folder / "README.md").read_text()
    assert "| 82.0% | 10.0% |" in card
    assert "--strength 0.8" in card


def test_easy_columns_tell_the_hint_and_the_grey_one_does_not(folder: Path) -> None:
    names = list(COLOURS)
    for row in table(folder, "test")[:40]:
        hint = int(row["hint"])
        assert row["word"] == names[hint]
        pixels = np.asarray(Image.open(BytesIO(row["coloured"])), dtype=float)
        mean = pixels.mean((0, 1))
        likeness = {name: float(np.dot(mean, rgb) / np.linalg.norm(rgb)) for name, rgb in COLOURS.items()}
        assert max(likeness, key=likeness.__getitem__) == names[hint]
        heard, rate = soundfile.read(BytesIO(row["sound"]))
        power, grid = np.abs(np.fft.rfft(heard)) ** 2, np.fft.rfftfreq(len(heard), 1 / rate)
        loud = {digit: sum(power[np.abs(grid - tone) < 8].sum() for tone in pair) for digit, pair in TONES.items()}
        assert max(loud, key=loud.__getitem__) == hint
        assert Image.open(BytesIO(row["grey"])).mode == "L"


def test_the_share_is_one_unless_said_and_a_digit_stands_in_one_split(tmp_path: Path) -> None:
    sizes = make_shortcut(tmp_path / "made", 30)
    assert sizes == {"train": 30, "validation": 3, "test": 6}
    rows = [row for split in ("train", "validation") for row in table(tmp_path / "made", split)]
    assert all(row["hint"] == row["label"] for row in rows)


def test_a_share_beyond_one_is_refused(tmp_path: Path) -> None:
    result = run("data", "make", "shortcut", "--strength", "1.5", "-o", tmp_path / "x")
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()


SPEC = """\
inputs:
  word:
    type: text
    max_length: 4
    backbone:
      use: transformers/bert
      weights: none
      config: {hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16}
      tokenizer: {train: wordpiece, vocab_size: 100}
  grey:
    type: image
    channels: 1
    backbone:
      use: timm/resnet10t
      weights: none
      depth: 2
      resolution: 32
      model: {channels: [8, 16, 32, 64], stem_width: 8}
fusion: zoo/concat
heads: {label: zoo/classifier}
balance: {drop: 0}
data: {train: made/train.parquet, validation: made/validation.parquet, test: made/test.parquet}
train: {epochs: 20, batch_size: 32, learning_rate: 0.01}
"""


@pytest.mark.slow
def test_a_model_that_follows_the_hint_is_right_in_training_alone(tmp_path: Path) -> None:
    from zoo import train

    make_shortcut(tmp_path / "made", 400)
    (tmp_path / "spec.yaml").write_text(SPEC)
    result = train(tmp_path / "spec.yaml")
    best = max(record["validation"]["heads"]["label"]["accuracy"] for record in result.history)
    subsets = result.metrics["subsets"]
    assert best > 0.8
    assert subsets["word"]["label"]["accuracy"]["value"] < 0.25  # the word is the hint and nothing else
    assert subsets["word+grey"]["label"]["accuracy"]["value"] < best - 0.25
