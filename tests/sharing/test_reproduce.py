"""A run that is trained again as its lock tells, and compared with the scores that it was shared with."""

import json
import os
import shutil
from pathlib import Path

import pytest

import zoo
from tests.command import run
from tests.tables import SPEC, write_tables
from zoo.files import file_digest
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference
from zoo.hub.reproduce import reproduce
from zoo.training.train import train


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in a folder of its own, with its tables beside."""
    (tmp_path / "ann").mkdir()
    train(write_tables(tmp_path / "ann", SPEC.replace("epochs: 4", "epochs: 2")), tmp_path / "ann" / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_same_run_comes_out_bit_by_bit(home: Path) -> None:
    for weights in (home / "ann" / "run").glob("*.safetensors"):  # spec, lock and scores are enough
        weights.unlink()
    told = run("reproduce", "ann/run", "-o", "again")
    assert told.exit_code == 0, told.stderr
    assert "the weights are the same, bit by bit" in told.stdout
    assert "zoo eval again TABLE" in told.stderr
    found = json.loads(run("reproduce", "ann/run", "-o", "third", "--json").stdout)
    assert found["same_weights"] and not found["outside"] and found["remarks"] == []
    assert {each["head"] for each in found["scores"]} == {"kind", "size"}
    assert all(each["before"] == each["after"] for each in found["scores"])


def test_a_shared_run_is_reproduced_from_tables_that_have_other_names(home: Path) -> None:
    store = FolderStore(read_reference(f"file://{home}/store"))
    files = {path.name: path for path in (home / "ann" / "run").iterdir() if path.is_file()}
    store.commit(files, None, "run")
    (home / "bob" / "deep").mkdir(parents=True)
    shutil.move(home / "ann" / "train.csv", home / "bob" / "deep" / "mine.csv")
    shutil.move(home / "ann" / "test.csv", home / "bob" / "theirs.csv")
    shutil.rmtree(home / "ann")
    found = zoo.reproduce(store.reference.place and f"file://{home}/store", "again", data=["bob"])
    assert found.same_weights and not found.outside
    assert not list(home.glob("runs*"))
    (home / "bob" / "theirs.csv").write_text((home / "bob" / "theirs.csv").read_text().replace("low", "bad", 1))
    refused = run("reproduce", f"file://{home}/store", "-o", "no", "--data", "bob")
    assert refused.exit_code == 2
    assert "SHA-256" in refused.stderr and "--data" in refused.stderr and not (home / "no").exists()


def test_tables_of_a_stranger_are_looked_for_where_the_user_says_alone(home: Path) -> None:
    spec = (home / "ann" / "run" / "zoo.yaml").read_text()
    (home / "ann" / "run" / "zoo.yaml").write_text(spec.replace("../train.csv", "/proc"))
    unsigned = run("reproduce", "ann/run", "-o", "no")
    assert unsigned.exit_code == 5 and "zoo.yaml" in unsigned.stderr  # not the spec that the lock tells of
    lock = json.loads((home / "ann" / "run" / "zoo.lock").read_text())
    lock["files"]["zoo.yaml"] = file_digest(home / "ann" / "run" / "zoo.yaml")
    (home / "ann" / "run" / "zoo.lock").write_text(json.dumps(lock))
    store = FolderStore(read_reference(f"file://{home}/store"))
    store.commit({path.name: path for path in (home / "ann" / "run").iterdir() if path.is_file()}, None, "run")
    os.mkfifo(home / "pipe")
    found = reproduce(f"file://{home}/store", "again", data=[home])
    assert found.same_weights
    for told, code in (("x", 4), ({"sha256": "0", "bytes": "many"}, 2)):
        changed = {**lock, "data": dict.fromkeys(lock["data"], told)}
        (home / "ann" / "run" / "zoo.lock").write_text(json.dumps(changed))
        assert run("reproduce", "ann/run", "-o", "no").exit_code == code


def test_scores_of_other_rows_are_not_compared(home: Path) -> None:
    metrics = json.loads((home / "ann" / "run" / "metrics.json").read_text())
    (home / "ann" / "run" / "metrics.json").write_text(json.dumps({**metrics, "split": "elsewhere.csv"}))
    other = run("reproduce", "ann/run", "-o", "again")
    assert other.exit_code == 5 and "'elsewhere.csv'" in other.stderr
    (home / "ann" / "run" / "metrics.json").write_text(json.dumps({**metrics, "subsets": {"y": {}}}))
    nothing = run("reproduce", "ann/run", "-o", "no")
    assert nothing.exit_code == 2 and "no scores of the whole model" in nothing.stderr


def test_an_interrupted_one_is_gone_on_with(home: Path) -> None:
    done = run("reproduce", "ann/run", "-o", "again")
    assert done.exit_code == 0
    assert run("reproduce", "ann/run", "-o", "again").exit_code == 7
    again = run("reproduce", "ann/run", "-o", "again", "--resume")
    assert again.exit_code == 0, again.stderr


def test_scores_outside_of_the_intervals_end_with_5(home: Path) -> None:
    metrics = json.loads((home / "ann" / "run" / "metrics.json").read_text())
    metrics["subsets"]["left+right"]["kind"]["accuracy"] |= {"value": 0.1, "low": 0.05, "high": 0.2}
    (home / "ann" / "run" / "metrics.json").write_text(json.dumps(metrics))
    told = run("reproduce", "ann/run", "-o", "again")
    assert told.exit_code == 5
    assert "kind.accuracy outside of the intervals" in told.stderr
    assert "0.100 [0.050, 0.200]" in told.stdout and (home / "again" / "zoo.lock").is_file()


def test_other_versions_are_told_and_a_run_without_scores_is_refused(home: Path) -> None:
    lock = json.loads((home / "ann" / "run" / "zoo.lock").read_text())
    lock["libraries"]["timm"] = "0.1"
    (home / "ann" / "run" / "zoo.lock").write_text(json.dumps(lock))
    found = reproduce(home / "ann" / "run", "again")
    assert [each for each in found.remarks if each.startswith("made with timm 0.1; ")]
    (home / "ann" / "run" / "metrics.json").unlink()
    told = run("reproduce", "ann/run", "-o", "no")
    assert told.exit_code == 2 and "no scores" in told.stderr
    assert run("reproduce", "nothing/like/that", "-o", "no").exit_code == 2
