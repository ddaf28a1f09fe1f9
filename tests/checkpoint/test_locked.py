"""A build under a lock: the same weights, tables, seed and versions, or a refusal that names what is another."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.command import run
from tests.sharing.proof import prove_here
from tests.tables import SPEC, write_tables
from zoo.checkpoint.locked import under_lock
from zoo.errors import DigestError, UsageError
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.model.build import build
from zoo.spec.load import load_spec
from zoo.training.unfinished import as_begun, keep_weights

START = 'backbone: {use: zoo/mlp, weights: "start#left", width: 16, layers: 1, dropout: 0}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec whose left input starts from a run, and the lock of what was built from it."""
    monkeypatch.chdir(tmp_path)
    prove_here(monkeypatch)
    write_tables(tmp_path)
    assert run("build", "spec.yaml", "-o", "start").exit_code == 0
    (tmp_path / "spec.yaml").write_text(
        SPEC.replace("backbone: {use: zoo/mlp, width: 16, layers: 1, dropout: 0}", START, 1)
    )
    assert run("build", "spec.yaml", "-o", "first").exit_code == 0
    (tmp_path / "zoo.lock").write_bytes((tmp_path / "first" / "zoo.lock").read_bytes())
    return tmp_path


def change_lock(folder: Path, **changes: Any) -> None:
    lock = json.loads((folder / "zoo.lock").read_text())
    (folder / "zoo.lock").write_text(json.dumps({**lock, **changes}))


def test_a_lock_tells_the_digest_of_every_file_that_weights_came_from(folder: Path) -> None:
    record = json.loads((folder / "zoo.lock").read_text())["weights"]["backbones.left"]
    assert record["part"] == "left"
    assert record["files"].keys() == {"tensors", "fitted"}  # the run's own files may be written anew
    assert all(len(each) == 64 for each in record["files"].values())


def test_what_is_as_the_lock_tells_is_built_again_bit_by_bit(folder: Path) -> None:
    again = run("build", "spec.yaml", "--locked", "-o", "again")
    assert again.exit_code == 0, again.stderr
    one, other = (load_file(folder / name / "model.safetensors") for name in ("first", "again"))
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    from_run = run("build", "first/zoo.yaml", "--locked", "-o", "third")
    assert from_run.exit_code == 0, from_run.stderr


def test_a_training_is_held_to_it_too(folder: Path) -> None:
    assert run("train", "spec.yaml", "--locked", "-o", "trained", "--set", "train.epochs=1").exit_code == 0
    (folder / "train.csv").write_text((folder / "train.csv").read_text() + "1,1,1,low,1\n")
    refused = run("train", "spec.yaml", "--locked", "-o", "another")
    assert refused.exit_code == 5
    assert "`train.csv` is another table" in refused.stderr and not (folder / "another").exists()


def test_another_table_seed_or_number_of_tables_is_refused(folder: Path) -> None:
    seed = run("build", "spec.yaml", "--locked", "-o", "no", "--set", "train.seed=1")
    assert seed.exit_code == 5 and "`train.seed` is 1 and not 0" in seed.stderr
    fewer = run("build", "spec.yaml", "--locked", "-o", "no", "--set", "data.test=null")
    assert fewer.exit_code == 5 and "the spec names 1 tables and not 2" in fewer.stderr
    (folder / "test.csv").unlink()
    (folder / "test.csv").write_text("a,b,c,kind,size\n1,1,1,low,1\n")
    table = run("build", "spec.yaml", "--locked", "-o", "no")
    assert table.exit_code == 5 and "`test.csv` is another table" in table.stderr
    assert not (folder / "no").exists()


@pytest.mark.parametrize("verb", ["build", "train"])
def test_a_run_whose_tables_are_elsewhere_tells_how_they_are_found(folder: Path, verb: str) -> None:
    assert run("train", "first/zoo.yaml", "-o", "trained", "--set", "train.epochs=1").exit_code == 0
    (folder / "elsewhere").mkdir()
    for name in ("train.csv", "test.csv"):
        (folder / name).rename(folder / "elsewhere" / name)
    told = run(verb, "trained/zoo.yaml", "--locked", "-o", "no")
    assert told.exit_code == 2 and "train.csv`: no such file or folder" in told.stderr, told.stderr
    assert "`zoo reproduce trained --data FOLDER` finds the run's tables there" in told.stderr
    (folder / "test.csv").write_text("a,b,c,kind,size\n1,1,1,low,1\n")
    (folder / "train.csv").write_bytes((folder / "elsewhere" / "train.csv").read_bytes())
    told = run(verb, "trained/zoo.yaml", "--locked", "-o", "no")
    assert told.exit_code == 5 and "test.csv` is another table (`zoo reproduce RUN --data FOLDER`" in told.stderr


def test_weights_that_were_changed_are_refused(folder: Path) -> None:
    """The run that they come from is whole, and another one than it was."""
    assert run("train", "first/zoo.yaml", "-o", "other", "--set", "train.epochs=1").exit_code == 0
    (folder / "start").rename(folder / "old")
    (folder / "other").rename(folder / "start")
    refused = run("build", "spec.yaml", "--locked", "-o", "no")
    assert refused.exit_code == 5
    assert "backbones.left" in refused.stderr and "is not what zoo.lock tells of" in refused.stderr
    without = run("build", "spec.yaml", "--locked", "-o", "no", "--set", "inputs.left.backbone.weights=none")
    assert without.exit_code == 5 and "backbones.left: weights in the spec or in zoo.lock alone" in without.stderr


def test_other_versions_are_refused_with_a_line_for_pip(folder: Path) -> None:
    lock = json.loads((folder / "zoo.lock").read_text())
    change_lock(folder, libraries={**lock["libraries"], "timm": "0.1"})
    refused = run("build", "spec.yaml", "--locked", "-o", "no")
    assert refused.exit_code == 3
    assert 'pip install "timm==0.1"' in refused.stderr


def test_a_spec_without_a_lock_or_with_a_damaged_one_is_told(folder: Path) -> None:
    (folder / "zoo.lock").write_text("{")
    assert run("build", "spec.yaml", "--locked", "-o", "no").exit_code == 4
    (folder / "zoo.lock").write_text('{"format": 3, "weights": {}}')
    damaged = run("build", "spec.yaml", "--locked", "-o", "no")
    assert damaged.exit_code == 4 and "no mapping `data`" in damaged.stderr
    (folder / "zoo.lock").unlink()
    told = run("build", "spec.yaml", "--locked", "-o", "no")
    assert told.exit_code == 2 and "a lock stands beside its spec" in told.stderr


def test_another_model_is_refused_and_another_training_is_not(folder: Path) -> None:
    wider = run("build", "spec.yaml", "--locked", "-o", "no", "--set", "fusion.dim=8")
    assert wider.exit_code == 5 and "inputs, fusion or heads of the spec are others" in wider.stderr
    longer = run("build", "spec.yaml", "--locked", "-o", "longer", "--set", "train.epochs=9")
    assert longer.exit_code == 0, longer.stderr


def test_a_start_that_was_shared_and_pulled_is_the_same_start(folder: Path) -> None:
    store = f"file://{folder}/store"
    push(folder / "start", store)
    (folder / "start").rename(folder / "before")
    pull(store, folder / "start")
    assert (folder / "start" / "zoo.lock").read_bytes() != (folder / "before" / "zoo.lock").read_bytes()
    again = run("build", "spec.yaml", "--locked", "-o", "again")
    assert again.exit_code == 0, again.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {"backbones.left": [1]}},
        {"weights": {"backbones.left": {"files": None}}},
        {"weights": {"backbones.left": {"files": {"a": 1}}}},
        {"weights": []},
        {"data": {"train.csv": "x", "test.csv": "y"}},
        {"plugins": [1]},
        {"libraries": None},
    ],
    ids=str,
)
def test_a_lock_that_tells_nonsense_is_damaged(folder: Path, change: dict[str, Any]) -> None:
    change_lock(folder, **change)
    told = run("build", "spec.yaml", "--locked", "-o", "no")
    assert told.exit_code == 4 and "zoo.lock" in told.stderr, told.stderr


def test_data_sets_of_the_hub_are_taken_at_the_commits_of_the_lock() -> None:
    keys = {
        "inputs": {"x": {"type": "vector", "columns": ["x"], "backbone": "zoo/mlp"}},
        "heads": {"y": "zoo/classifier"},
    }
    names = {"train": "hf://datasets/acme/rows#train", "test": "hf://datasets/acme/rows@main#test"}
    told = {"repo": "datasets/acme/rows", "commit": "a" * 40}
    lock = {"weights": {}, "data": dict.fromkeys(names.values(), told)}
    spec = under_lock(load_spec({**keys, "data": names}), lock)
    assert spec.data.train[0].path == f"hf://datasets/acme/rows@{'a' * 40}#train"
    assert spec.data.test == f"hf://datasets/acme/rows@{'a' * 40}#test"
    pinned = under_lock(load_spec({**keys, "data": {"train": f"hf://datasets/acme/rows@{'b' * 40}"}}), lock)
    assert pinned.data.train[0].path == f"hf://datasets/acme/rows@{'b' * 40}"


def test_an_interrupted_training_goes_on_with_the_weights_that_it_began_with(folder: Path) -> None:
    spec = load_spec(folder / "spec.yaml")
    state = folder / "state.safetensors"
    keep_weights(state, build(spec).sources)
    assert as_begun(spec, state).pins is None  # nothing was saved yet
    state.write_bytes(b"")
    assert as_begun(spec, state).pins is not None
    build(as_begun(spec, state))
    assert run("train", "first/zoo.yaml", "-o", "other", "--set", "train.epochs=1").exit_code == 0
    (folder / "start").rename(folder / "old")
    (folder / "other").rename(folder / "start")
    with pytest.raises(DigestError, match=r"backbones\.left"):
        build(as_begun(spec, state))
    lock = json.loads((folder / "zoo.lock").read_text())
    assert as_begun(under_lock(spec, lock), state).pins is not None
    lock["weights"]["backbones.left"]["files"]["fitted"] = "0" * 64
    with pytest.raises(UsageError, match="began with other weights than the lock"):
        as_begun(under_lock(spec, lock), state)


def test_weights_of_a_file_have_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tables(tmp_path, SPEC.replace("{use: zoo/mlp, width", "{use: zoo/mlp, weights: w.safetensors, width", 1))
    assert run("build", "spec.yaml", "-o", "plain", "--set", "inputs.left.backbone.weights=none").exit_code == 0
    state = load_file(tmp_path / "plain" / "model.safetensors")
    mine = {name.removeprefix("backbones.left."): each for name, each in state.items() if "backbones.left." in name}
    save_file(mine, tmp_path / "w.safetensors")
    assert run("build", "spec.yaml", "-o", "first").exit_code == 0
    (tmp_path / "zoo.lock").write_bytes((tmp_path / "first" / "zoo.lock").read_bytes())
    assert run("build", "spec.yaml", "--locked", "-o", "again").exit_code == 0
    save_file({name: each + 1 if each.is_floating_point() else each for name, each in mine.items()}, "w.safetensors")
    refused = run("build", "spec.yaml", "--locked", "-o", "no")
    assert refused.exit_code == 5 and "`w.safetensors`" in refused.stderr


def test_what_a_fetch_would_need_is_told(folder: Path) -> None:
    told = run("fetch", "spec.yaml", "--json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["weights"]["backbones.left"]["files"] and found["folders"] == [] and found["tables"] == []
    shown = run("fetch", "spec.yaml")
    assert "backbones.left: " in shown.stdout and "zoo build spec.yaml --locked" in shown.stderr
