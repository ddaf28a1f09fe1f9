"""Models of every kind come back bit-identical: three modalities, shards, tied tensors, a tower that two share."""

import shutil
from pathlib import Path

import pytest
import torch

import zoo
from tests.command import run
from tests.tables import SPEC, write_tables
from zoo.checkpoint import weights
from zoo.checkpoint.raw import map_file
from zoo.checkpoint.shards import INDEX
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.hub.raw_run import raw_weights
from zoo.model.model import ZooModel
from zoo.model.run import read_run, write_run

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARED = SPEC.replace("columns: [a, b], ", "columns: [a], ").replace(
    "{use: zoo/mlp, width: 16, layers: 1, dropout: 0}}\nfusion", "{same_as: left}}\nfusion"
)


def written(model: ZooModel, folder: Path) -> Path:
    folder.mkdir()
    write_run(model, folder, folder, {})
    return folder


def test_a_tower_that_two_inputs_share(tmp_path: Path) -> None:
    model = zoo.build(write_tables(tmp_path, SHARED))
    assert model.backbone("left") is model.backbone("right")
    came_back(written(model, tmp_path / "run"), tmp_path)


def test_tied_tensors(tmp_path: Path) -> None:
    model = zoo.build(write_tables(tmp_path))
    left, right = (dict(model.backbone(name).named_modules()) for name in ("left", "right"))
    name = next(name for name, each in right.items() if isinstance(each, torch.nn.Linear))
    right[name].bias = left[name].bias
    came_back(written(model, tmp_path / "run"), tmp_path)


def test_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.write_weights, "__defaults__", (2000,))
    folder = written(zoo.build(write_tables(tmp_path)), tmp_path / "run")
    assert (folder / INDEX).exists()
    came_back(folder, tmp_path)


def test_pictures_texts_and_sounds(tmp_path: Path) -> None:
    assert run("data", "make", "digits", "-o", tmp_path / "digits").exit_code == 0
    shutil.copy(EXAMPLES / "digits.yaml", tmp_path / "spec.yaml")
    done = run("build", tmp_path / "spec.yaml", "-o", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    came_back(tmp_path / "run", tmp_path)


def came_back(folder: Path, tmp_path: Path) -> None:
    """Pushes and pulls: every tensor is the same, and so is what the model is."""
    pushed = push(folder, f"file://{tmp_path}/store")
    assert pushed.difference is not None and pushed.difference == 0
    pulled = pull(pushed.reference, tmp_path / "pulled")
    before, after = raw_weights(folder), raw_weights(pulled.folder)
    assert {name: each.digest() for name, each in before.items()} == {
        name: each.digest() for name, each in after.items()
    }
    for path in folder.glob("*.safetensors"):
        assert map_file(path).keys() == map_file(pulled.folder / path.name).keys()
    one, other = read_run(folder).state_dict(), read_run(pulled.folder).state_dict()
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
