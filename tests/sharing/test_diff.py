"""What two runs differ in is told, and nothing where they are the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.command import run
from tests.sharing.proof import prove_here
from zoo.checkpoint.tensors import as_raw, read_tensors, write_tensors
from zoo.hub.diff import _change, diff
from zoo.hub.push import push


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


def relock(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    lock = json.loads((folder / "zoo.lock").read_text())
    change(lock)
    (folder / "zoo.lock").write_text(json.dumps(lock))


def test_the_same_tables_under_other_names_are_no_difference(trained: Path, other: Path) -> None:
    """As after a `zoo reproduce` where the tables stand elsewhere."""
    relock(other, lambda lock: lock.update(data={f"../found/{name}": told for name, told in lock["data"].items()}))
    assert diff(trained, other).facts == {}


def test_another_table_in_the_same_place_is_told(trained: Path, other: Path) -> None:
    def swap(lock: dict[str, Any]) -> None:
        (one, first), (two, second) = lock["data"].items()
        lock["data"] = {one: second, two: first}

    relock(other, swap)
    assert {key.rpartition(".")[2] for key in diff(trained, other).facts} == {"sha256", "bytes"}
    relock(other, lambda lock: lock["data"].popitem())
    assert {each[1] for each in diff(trained, other).facts.values()} >= {None}


def test_a_spec_that_is_not_utf_8_is_damaged(trained: Path, other: Path) -> None:
    (other / "zoo.yaml").write_bytes(b"name: caf\xe9\n")
    done = run("diff", trained, other)
    assert done.exit_code == 4, done.stderr
    assert f"`{other / 'zoo.yaml'}` cannot be read: byte 0xe9 is not UTF-8" in done.stderr


def test_a_spec_that_is_too_large_is_damaged(trained: Path, other: Path) -> None:
    (other / "zoo.yaml").write_bytes(b"#" * (257 << 10))
    done = run("diff", trained, other)
    assert (done.exit_code, f"`{other / 'zoo.yaml'}` cannot be read: it is larger" in done.stderr) == (4, True)


def test_remarks_name_the_run_that_they_are_on(
    trained: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)
    store = f"file://{tmp_path}/store"
    relock(other, lambda lock: lock["libraries"].update(torch="1.0"))
    push(other, store)
    (remark,) = diff(trained, store).remarks
    assert remark.startswith(f"`{store}`: made with torch 1.0; ")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.int64, torch.complex64])
def test_the_size_of_a_change(dtype: torch.dtype) -> None:
    one, other = torch.tensor([3, 4]).to(dtype), torch.tensor([3, 9]).to(dtype)
    assert _change(as_raw(one), as_raw(other)) == pytest.approx(1.0)
    assert _change(as_raw(one), as_raw(one)) == 0
    assert _change(as_raw(one * 0), as_raw(one)) == float("inf")


def test_a_folder_that_is_no_run(tmp_path: Path, trained: Path) -> None:
    done = run("diff", trained, tmp_path)
    assert (done.exit_code, "is no run folder" in done.stderr) == (2, True)


def test_what_a_stranger_wrote_is_no_command_to_the_terminal(trained: Path, other: Path) -> None:
    lock = json.loads((other / "zoo.lock").read_text())
    lock["python"] = "3.11\x1b]0;mine\x07"
    (other / "zoo.lock").write_text(json.dumps(lock))
    metrics = json.loads((other / "metrics.json").read_text())
    for heads in metrics["subsets"].values():
        for each in heads.values():
            each["\x1b[31mred"] = {"value": 1.0, "low": 1.0, "high": 1.0}
    (other / "metrics.json").write_text(json.dumps(metrics))
    told = run("diff", trained, other)
    assert told.exit_code == 0, told.stderr
    assert "\\x1b]0;mine" in told.stdout and "\\x1b[31mred" in told.stdout and "\x1b" not in told.stdout + told.stderr
