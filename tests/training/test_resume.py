"""A training that was interrupted and goes on ends where an undisturbed one ends, to the last bit."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo.training.loop
from tests.tables import SPEC, write_tables
from zoo.checkpoint.tensors import read_tensors
from zoo.errors import ConflictError, CorruptError, UsageError
from zoo.spec.load import load_spec
from zoo.training.progress import Silent
from zoo.training.state import read_state
from zoo.training.train import train
from zoo.training.unfinished import check_same

HARD = SPEC.replace("dropout: 0", "dropout: 0.2") + "balance: {drop: 0.3, aux: 0.5}\n"
"""A spec with all that is random in a training."""


class PowerCut(OSError):
    """What ends a training at a place that a test chose."""


class Cut(Silent):
    """Ends the training at a step."""

    def __init__(self, epoch: int, step: int) -> None:
        self.place = (epoch, step)

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        if (epoch, done) == self.place:
            raise PowerCut


@pytest.fixture(autouse=True)
def looks_and_saves_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo.training.loop, "LOOK_EVERY", 1)


def weights(run: Path) -> dict[str, Any]:
    return {name: each.clone() for name, each in read_tensors(run / "model.safetensors").items()}


def same(one: Path, two: Path) -> bool:
    first, second = weights(one), weights(two)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def history(run: Path) -> list[dict[str, Any]]:
    timeless = ("seconds", "samples_per_second")
    lines = map(json.loads, (run / "history.jsonl").read_text().splitlines())
    return [{name: value for name, value in line.items() if name not in timeless} for line in lines]


SETTINGS = {
    "plain": [],
    "averaged": ["train.average=0.9", "train.schedule=one-cycle"],
    "in parts": ["train.accumulate=3", "train.clip=0.1", "train.patience=2"],
    "by accuracy": ["train.select=kind.accuracy", "train.clip=null", "train.schedule=linear"],
    "without validation": ["data.validation=null"],
    "bf16": ["train.precision=bf16", "transfer.l2_sp=0.1"],
}


QUICK = ("averaged", "in parts")


@pytest.mark.parametrize(
    "settings",
    [pytest.param(each, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, each in SETTINGS.items()],
)
def test_it_ends_where_an_undisturbed_one_ends(tmp_path: Path, settings: list[str]) -> None:
    path = write_tables(tmp_path, HARD)
    spec = load_spec(path, overrides=[*settings, "train.save_every=1e-9", "train.epochs=3"])
    train(spec, tmp_path / "whole")
    for place in ((1, 2), (1, 5), (2, 1), (3, 4)):
        with pytest.raises(PowerCut):
            train(spec, tmp_path / "cut", resume=True, watch=Cut(*place))
    assert not (tmp_path / "cut").exists()
    finished = train(spec, tmp_path / "cut", resume=True)
    assert same(tmp_path / "whole", tmp_path / "cut")
    assert history(tmp_path / "whole") == history(tmp_path / "cut")
    assert json.loads((tmp_path / "whole" / "metrics.json").read_text()) == finished.metrics
    assert {each.name for each in tmp_path.iterdir() if "cut" in each.name} == {"cut"}


def test_a_step_after_the_last_save_is_made_again(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path, HARD), overrides=["train.epochs=2"])
    train(spec, tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(spec, tmp_path / "cut", watch=Cut(2, 3))
    _, facts = read_state(tmp_path / "cut.training" / "state.safetensors")
    assert (facts["position"]["epoch"], facts["position"]["step"]) == (1, 0)
    train(spec, tmp_path / "cut", resume=True)
    assert same(tmp_path / "whole", tmp_path / "cut")


def test_resume_begins_where_there_is_nothing_and_reads_what_is_finished(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.epochs=1"])
    (tmp_path / "run").mkdir()
    first = train(spec, tmp_path / "run", resume=True)
    again = train(spec, tmp_path / "run", resume=True)
    assert again.metrics == first.metrics
    assert again.history == first.history
    assert all(torch.equal(each, again.model.state_dict()[name]) for name, each in first.model.state_dict().items())


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """The spec of a training that was cut in `run.training`."""
    path = write_tables(tmp_path)
    with pytest.raises(PowerCut):
        train(path, tmp_path / "run", watch=Cut(2, 1))
    return path


def test_it_is_not_begun_anew_unasked(tmp_path: Path, interrupted: Path) -> None:
    with pytest.raises(ConflictError, match=r"run\.training` holds a training that was interrupted: go on with"):
        train(interrupted, tmp_path / "run")
    assert (tmp_path / "run.training" / "state.safetensors").exists()


def test_another_spec_does_not_go_on(tmp_path: Path, interrupted: Path) -> None:
    other = load_spec(interrupted, overrides=["train.batch_size=8"])
    with pytest.raises(UsageError, match=r"has `train\.batch_size: 16`, and the spec now says 8; set it back, or"):
        train(other, tmp_path / "run", resume=True)
    assert (tmp_path / "run.training" / "state.safetensors").exists()
    train(load_spec(interrupted, overrides=["hub.repo=a/b"]), tmp_path / "run", resume=True)


def test_other_data_do_not_go_on(tmp_path: Path, interrupted: Path) -> None:
    with (tmp_path / "train.csv").open("a") as file:
        file.write("1,1,1,low,1\n")
    with pytest.raises(UsageError, match=r"`train\.csv` was changed since the training in .* began"):
        train(interrupted, tmp_path / "run", resume=True)


def test_another_test_table_goes_on(tmp_path: Path, interrupted: Path) -> None:
    (tmp_path / "other.csv").write_text((tmp_path / "test.csv").read_text())
    run = train(load_spec(interrupted, overrides=["data.test=other.csv"]), tmp_path / "run", resume=True)
    assert len(run.history) == 4


def test_another_table_in_memory_does_not_go_on(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["data.train=memory:rows"])
    with (tmp_path / "train.csv").open(newline="") as file:
        rows = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]
    numbers = [
        {name: cell if name == "kind" or cell is None else float(cell) for name, cell in row.items()} for row in rows
    ]
    with pytest.raises(PowerCut):
        train(spec, tmp_path / "run", tables={"rows": numbers}, watch=Cut(2, 1))
    other = [{**row, "c": 0.0} for row in numbers]
    with pytest.raises(UsageError, match="`memory:rows` was changed since the training in"):
        train(spec, tmp_path / "run", tables={"rows": other}, resume=True)
    train(spec, tmp_path / "run", tables={"rows": numbers}, resume=True)


def test_a_finished_run_of_another_spec_is_not_read_for_it(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.epochs=1"])
    train(spec, tmp_path / "run")
    with pytest.raises(ConflictError, match=r"trained with `train\.epochs: 1`, and the spec now says 2; name another"):
        train(load_spec(tmp_path / "spec.yaml", overrides=["train.epochs=2"]), tmp_path / "run", resume=True)


@pytest.mark.parametrize("test", ["test.csv", "null"])
def test_a_run_that_was_not_measured_is_measured(tmp_path: Path, test: str) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.epochs=1", f"data.test={test}"])
    first = train(spec, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    assert train(spec, tmp_path / "run", resume=True).metrics == first.metrics
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_damaged_state_is_told(tmp_path: Path, interrupted: Path) -> None:
    state = tmp_path / "run.training" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(CorruptError, match="is no whole state of a training"):
        train(interrupted, tmp_path / "run", resume=True)
    assert state.exists()


def test_two_do_not_train_in_one_folder(tmp_path: Path, interrupted: Path) -> None:
    class Second(Silent):
        def epoch(self, record: Any) -> None:
            with pytest.raises(ConflictError, match="another process is training"):
                train(interrupted, tmp_path / "run", resume=True)

    train(interrupted, tmp_path / "run", resume=True, watch=Second())
    assert (tmp_path / "run").exists()


def test_a_training_that_cannot_go_on_leaves_nothing(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.learning_rate=1e30", "train.clip=null"])
    with pytest.raises(UsageError, match=r"no number any more.*; of this training nothing is kept"):
        train(spec, tmp_path / "run")
    assert not list(tmp_path.glob("run*"))


@pytest.mark.parametrize("part", ["", "#train"])
def test_the_commit_of_a_data_set_that_a_run_keeps_is_no_difference(tmp_path: Path, part: str) -> None:
    path, name = write_tables(tmp_path), "hf://datasets/a/b"
    pinned, bare, other = (
        load_spec(path, overrides=[f"data.train={name}{commit}{part}"])
        for commit in (f"@{'0' * 40}", "", f"@{'1' * 40}")
    )
    check_same(tmp_path, pinned, bare)
    with pytest.raises(ConflictError, match=r"was trained with `data\.train"):
        check_same(tmp_path, pinned, other)
