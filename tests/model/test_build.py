"""What building says when weights do not fit, and of how each part starts."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from tests.tables import SPEC, write_tables
from zoo.checkpoint.tensors import write_tensors
from zoo.errors import CorruptError, UsageError
from zoo.features import Values
from zoo.model.build import build, told_starts
from zoo.planning.plan import plan
from zoo.spec.load import load_spec
from zoo.training.train import train


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a run of one epoch, tables, and another spec."""
    train(load_spec(write_tables(tmp_path), overrides=["train.epochs=1"]), tmp_path / "run")
    return tmp_path


def test_weights_of_another_architecture_are_told_with_their_place_and_file(tmp_path: Path) -> None:
    write_tensors(tmp_path / "other.safetensors", {"conv.weight": torch.zeros(2, 2)})
    spec = write_tables(tmp_path, SPEC.replace("width: 16", "weights: other.safetensors, width: 16", 1))
    with pytest.raises(CorruptError, match=r"^`inputs\.left\.backbone`: `.*other\.safetensors`: none of the 1 tensors"):
        build(spec)


def test_a_pickle_alone_is_told_with_its_folder_once(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "pytorch_model.bin").write_bytes(b"of a pickle")
    spec = write_tables(tmp_path, SPEC.replace("width: 16", "weights: other, width: 16", 1))
    with pytest.raises(
        CorruptError, match=r"^`inputs\.left\.backbone`: `.*other` has its weights as a pickle"
    ) as error:
        build(spec)
    assert str(error.value).count(str(tmp_path / "other")) == 1


def test_a_head_of_which_nothing_fits_is_an_error(folder: Path) -> None:
    head = "kind: {use: zoo/classifier, weights: 'run#size'}"
    with pytest.raises(UsageError, match=r"`heads\.kind\.weights`: nothing of .* fits this head; it has .*\[1, 16\]"):
        build(write_tables(folder, SPEC.replace("kind: zoo/classifier", head)))


def test_how_each_part_starts_is_told(folder: Path) -> None:
    spec = SPEC.replace("width: 16", "weights: 'run#left', width: 16", 1)
    told = list(told_starts(build(write_tables(folder, spec))))
    assert any(line.startswith("backbones.left: ") and "kept from the part `left` of" in line for line in told)
    assert any(line.startswith("backbones.right: ") and "start at random" in line for line in told)


SHARED = """\
inputs:
  left: {{type: {left}, backbone: {backbone}}}
  right: {{type: {right}, backbone: {{same_as: left}}}}
heads:
  kind: {{use: zoo/classifier, classes: [a, b]}}
"""


@pytest.mark.parametrize(
    ("left", "right", "backbone", "told"),
    [
        ("image", "image, channels: 1", "{use: timm/test_resnet, weights: none}", "shape"),
        ("image, channels: 1", "image", "{use: timm/test_resnet, weights: none}", "shape"),
        ("vector, columns: [a, b]", "vector, columns: [c]", "zoo/mlp", "shape"),
        ("audio", "audio, sample_rate: 8000", "{use: transformers/wav2vec2, weights: none}", "rate"),
    ],
)
def test_inputs_of_other_values_cannot_share_a_backbone(left: str, right: str, backbone: str, told: str) -> None:
    text = SHARED.format(left=left, right=right, backbone=backbone)
    with pytest.raises(UsageError, match=rf"`inputs\.right\.backbone`: `left` and `right` cannot share.*: {told} of"):
        plan(yaml.safe_load(text))


SEQUENCES = """\
inputs:
  left: {{type: sequence, max_length: {left}, backbone: {{use: zoo/sequence-transformer, dim: 8, heads: 2, layers: 1}}}}
  right: {{type: sequence, max_length: {right}, backbone: {{same_as: left}}}}
heads:
  kind: {{use: zoo/classifier, classes: [a, b]}}
data: {{train: train.jsonl}}
"""


def write_sequences(folder: Path, left: int, right: int, width: int = 1) -> Path:
    """A table of sequences, of which `right` has this many features, and a spec with these lengths."""
    row = {"left": [[1.0]] * 9, "right": [[1.0] * width] * 9}
    (folder / "train.jsonl").write_text("".join(json.dumps({**row, "kind": kind}) + "\n" for kind in "abab"))
    (folder / "spec.yaml").write_text(SEQUENCES.format(left=left, right=right))
    return folder / "spec.yaml"


@pytest.mark.parametrize(("left", "right"), [(4, 9), (9, 4)])
def test_a_shared_backbone_is_as_long_as_the_longest_input_needs(tmp_path: Path, left: int, right: int) -> None:
    model = build(write_sequences(tmp_path, left, right))
    values = {name: Values(torch.ones(1, 9, 1)) for name in ("left", "right")}
    with torch.inference_mode():
        assert [each.tokens.shape[1] for each in model.features(values).values()] == [9, 9]


def test_sequences_of_other_features_cannot_share_a_backbone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"`inputs\.right\.backbone`: .*: shape of"):
        build(write_sequences(tmp_path, 9, 9, width=2))
