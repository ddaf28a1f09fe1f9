"""What two runs differ in is told, and nothing where they are the same."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.command import run
from zoo.checkpoint.tensors import as_raw, read_tensors, write_tensors
from zoo.hub.diff import _change, diff


@pytest.fixture
def other(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "other")
    return tmp_path / "other"


def test_a_run_and_its_copy_are_the_same(trained: Path, other: Path) -> None:
    found = diff(trained, other)
    assert (found.spec, found.facts, found.scores, found.same_weights) == ((), {}, (), True)
    assert sum(each.equal for each in found.parts) == len(read_tensors(trained / "model.safetensors"))
    assert "the same, bit by bit" in run("diff", trained, other).stdout


def test_what_changed_is_told_with_its_size(trained: Path, other: Path) -> None:
    tensors = {name: each.clone() for name, each in read_tensors(other / "model.safetensors").items()}
    head = next(name for name in tensors if name.startswith("heads.kind.") and tensors[name].ndim == 2)
    gone = next(name for name in tensors if name.startswith("backbones.left."))
    tensors[head] *= 1.5
    tensors["heads.new.weight"] = torch.ones(2)
    tensors[gone] = tensors[gone].double()
    write_tensors(other / "model.safetensors", tensors)
    (other / "zoo.yaml").write_text(
        (other / "zoo.yaml").read_text().replace("learning_rate: 0.02", "learning_rate: 0.5")
    )
    lock = json.loads((other / "zoo.lock").read_text())
    lock["libraries"]["torch"], lock["seed"] = "1.0", 7
    (other / "zoo.lock").write_text(json.dumps(lock))
    metrics = json.loads((other / "metrics.json").read_text())
    metrics["subsets"]["left"]["kind"]["accuracy"]["value"] = 0.125
    (other / "metrics.json").write_text(json.dumps(metrics))
    found = diff(trained, other)
    parts = {each.name: each for each in found.parts}
    assert not found.same_weights
    assert (parts["heads.kind"].changed, parts["heads.kind"].where) == (1, head)
    assert parts["heads.kind"].largest == pytest.approx(0.5)
    assert (parts["heads.new"].new, parts["heads.new"].gone) == (1, 0)
    assert (parts["backbones.left"].new, parts["backbones.left"].gone) == (1, 1)
    assert any(line.startswith("+") and "learning_rate: 0.5" in line for line in found.spec)
    assert found.facts.keys() == {"libraries.torch", "seed"} and found.facts["seed"][1] == 7
    (score,) = found.scores
    assert (score.subset, score.head, score.metric) == ("left", "kind", "accuracy")
    assert score.after is not None and score.after[0] == 0.125
    told = run("diff", trained, other)
    for word in ("the weights differ", "libraries.torch", "0.125", "heads.new"):
        assert word in told.stdout
    assert json.loads(run("diff", trained, other, "--json").stdout)["facts"]["seed"][1] == 7


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.complex64])
def test_the_size_of_a_change(dtype: torch.dtype) -> None:
    one, other = torch.tensor([3, 4]).to(dtype), torch.tensor([3, 9]).to(dtype)
    assert _change(as_raw(one), as_raw(other)) == pytest.approx(1.0)
    assert _change(as_raw(one), as_raw(one)) == 0
    assert _change(as_raw(one * 0), as_raw(one)) == float("inf")


def test_a_folder_that_is_no_run(tmp_path: Path, trained: Path) -> None:
    done = run("diff", trained, tmp_path)
    assert (done.exit_code, "is no run folder" in done.stderr) == (2, True)
