"""`zoo.lock`: what a run was made of, in data that any program reads, and that changes with each of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.toys.models import toy_model
from zoo.checkpoint.lock import fingerprint, lock, parts
from zoo.checkpoint.tensors import digest, write_tensors
from zoo.files import file_digest
from zoo.model.model import ZooModel

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: {use: toy/conv, weights: conv.safetensors}}
heads:
  caption: {use: toy/captioner, decoder: {use: toy/lm, transfer: frozen}}
data: {train: [a.csv, {path: b.csv}], validation: c.csv, test: folder}
train: {seed: 7}
"""


@pytest.fixture
def model(tmp_path: Path) -> ZooModel:
    (tmp_path / "folder").mkdir()
    for name in ("a.csv", "b.csv", "folder/c.csv"):
        (tmp_path / name).write_text(f"photo,caption\n{name},red\n")
    conv = toy_model(SPEC.replace("{use: toy/conv, weights: conv.safetensors}", "toy/conv")).backbone("photo")
    write_tensors(tmp_path / "conv.safetensors", conv.state_dict())
    return toy_model(SPEC, tmp_path)


def locked(model: ZooModel) -> dict[str, Any]:
    return lock(model.spec, model.sources, model.state_dict(), {}, {"zoo.yaml": "name: a\n"})


def test_a_lock_is_plain_data(model: ZooModel) -> None:
    written = locked(model)
    assert json.loads(json.dumps(written)) == written


def test_a_lock_names_the_plugins_of_all_parts(model: ZooModel) -> None:
    named = {part.registered.name: part.registered.plugin for part in parts(model.spec)}
    assert set(named) == {"toy/picture", "toy/conv", "toy/captioner", "toy/lm", "zoo/full", "zoo/frozen"}
    assert locked(model)["plugins"] == {each.distribution: each.version for each in named.values()}


def test_a_lock_tells_where_the_weights_came_from(model: ZooModel, tmp_path: Path) -> None:
    path = tmp_path / "conv.safetensors"
    told = {"path": str(path), "files": {path.name: file_digest(path)}}
    assert locked(model)["weights"] == {"backbones.photo": told}


def test_a_lock_has_the_digest_of_every_tensor(model: ZooModel) -> None:
    written = locked(model)
    assert set(written["tensors"]) == set(model.state_dict())
    name = "backbones.photo.second.1.running_mean"
    assert written["tensors"][name] == digest(model.state_dict()[name])
    model.get_buffer(name).add_(1)
    again = locked(model)
    changed = {name for name, each in written["tensors"].items() if again["tensors"][name] != each}
    assert changed == {name}
    assert again["digest"] != written["digest"]


def test_a_lock_has_seed_and_versions(model: ZooModel) -> None:
    written = locked(model)
    assert written["seed"] == 7
    assert written["format"] == 3
    assert written["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert "safetensors" in written["libraries"]


def test_a_lock_has_a_fingerprint_of_all_data(model: ZooModel, tmp_path: Path) -> None:
    data = locked(model)["data"]
    assert list(data) == ["a.csv", "b.csv", "c.csv", "folder"]
    text = (tmp_path / "a.csv").read_bytes()
    assert data["a.csv"] == {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
    assert data["c.csv"] == {}


def test_the_fingerprint_of_a_folder_is_of_its_names_and_bytes(tmp_path: Path) -> None:
    def of(**files: str) -> dict[str, Any]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "inner").mkdir(parents=True)
        for name, text in files.items():
            (folder / "inner" / f"{name}.png").write_text(text)
        return fingerprint(folder)

    assert of(a="1", b="23") == of(b="23", a="1")
    others = [of(a="1", b="23"), of(a="12", b="3"), of(a="1", c="23"), of(a="1", b="24"), of(a="1"), of(a="123", b="")]
    assert len({each["sha256"] for each in others}) == len(others)
    assert others[0]["bytes"] == 3
    assert of() == {}
