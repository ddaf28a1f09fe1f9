"""Run folders whose tensors are tied, or in shards: written, read, and a part of another run's start."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import zoo
from tests.tables import write_tables
from zoo.checkpoint import weights
from zoo.checkpoint.shards import SINGLE
from zoo.checkpoint.tensors import read_tensors
from zoo.errors import CorruptError, DigestError
from zoo.model.model import ZooModel
from zoo.model.run import read_run, write_run


@pytest.fixture
def model(tmp_path: Path) -> ZooModel:
    """A model two of whose tensors are one."""
    built = zoo.build(write_tables(tmp_path))
    left, right = (dict(built.backbone(name).named_modules()) for name in ("left", "right"))
    name = next(name for name, each in right.items() if isinstance(each, torch.nn.Linear))
    right[name].bias = left[name].bias
    return built


def written(model: ZooModel, folder: Path) -> Path:
    folder.mkdir()
    write_run(model, folder, folder, {})
    return folder


def same(one: ZooModel, other: ZooModel) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_tied_tensors_are_stored_once(model: ZooModel, tmp_path: Path) -> None:
    run = written(model, tmp_path / "run")
    lock = json.loads((run / "zoo.lock").read_text())
    ((alias, name),) = lock["aliases"].items()
    assert alias.startswith("backbones.right.") and name.startswith("backbones.left.")
    assert alias not in read_tensors(run / SINGLE)
    assert lock["tensors"][alias] == lock["tensors"][name]
    assert same(read_run(run), model)


def test_shards_are_read_as_one_file_is(model: ZooModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.write_weights, "__defaults__", (2000,))
    run = written(model, tmp_path / "run")
    assert len(list(run.glob("model-*.safetensors"))) > 1 and not (run / SINGLE).exists()
    assert same(read_run(run), model)
    next(run.glob("model-00002-*")).unlink()
    with pytest.raises(CorruptError, match="which its index names"):
        read_run(run)


def test_a_tie_to_another_tensor_is_found_out(model: ZooModel, tmp_path: Path) -> None:
    run = written(model, tmp_path / "run")
    lock = json.loads((run / "zoo.lock").read_text())
    ((alias, name),) = lock["aliases"].items()
    other = next(each for each in lock["tensors"] if each not in (alias, name))
    (run / "zoo.lock").write_text(json.dumps({**lock, "aliases": {alias: other}}))
    with pytest.raises(DigestError):
        read_run(run)


@pytest.mark.parametrize("change", [lambda lock: lock.pop("aliases"), lambda lock: lock.update(aliases={})])
def test_a_lock_that_lost_its_ties_lacks_tensors(
    model: ZooModel, tmp_path: Path, change: Callable[[dict[str, object]], object]
) -> None:
    run = written(model, tmp_path / "run")
    lock = json.loads((run / "zoo.lock").read_text())
    change(lock)
    (run / "zoo.lock").write_text(json.dumps(lock))
    with pytest.raises(CorruptError, match="the weights do not fit"):
        read_run(run)


def test_a_part_with_a_tied_tensor_is_a_start(model: ZooModel, tmp_path: Path) -> None:
    run = written(model, tmp_path / "run")
    spec = {
        "inputs": {"right": {"type": "vector", "columns": ["c"], "backbone": {"use": "zoo/mlp", "width": 16}}},
        "heads": {"kind": "zoo/classifier"},
        "data": {"train": str(tmp_path / "train.csv")},
    }
    options = {"width": 16, "layers": 1, "dropout": 0, "weights": f"{run}#right"}
    spec["inputs"]["right"]["backbone"].update(options)  # type: ignore[index]
    started = zoo.build(spec)
    for name, tensor in started.backbone("right").state_dict().items():
        assert torch.equal(tensor, model.backbone("right").state_dict()[name])
