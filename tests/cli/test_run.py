"""`zoo build`, `train`, `eval` and `predict`, on a small table."""

import csv
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.command import run
from tests.tables import SPEC, approximately, write_tables

QUICK = ("--set", "train.epochs=1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    done = run("train", write_tables(folder), "-o", folder / "run")
    assert done.exit_code == 0, done.stderr
    return folder / "run"


def test_train_tells_every_epoch_and_every_set_of_inputs(tmp_path: Path) -> None:
    done = run("train", write_tables(tmp_path), "-o", tmp_path / "run", "--set", "train.epochs=2")
    assert done.exit_code == 0
    assert "note: " in done.stderr or "labels" not in done.stderr
    assert [line.split("  ")[0] for line in done.stderr.splitlines() if line.startswith("epoch")] == [
        "epoch 1/2",
        "epoch 2/2",
    ]
    for words in ("measured on", "95 % interval", "left+right", "accuracy", "mae"):
        assert words in done.stdout
    assert f"next: zoo predict {tmp_path / 'run'}" in done.stderr


def test_train_as_json_prints_nothing_else(tmp_path: Path) -> None:
    done = run("train", write_tables(tmp_path), "-o", tmp_path / "run", *QUICK, "--json")
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "run")
    accuracy = told["heads"]["kind"]["accuracy"]
    assert accuracy["n"] == 40 and accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    assert set(told["subsets"]) == {"left", "right", "left+right"}


def test_the_folder_is_runs_name_unless_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_tables(tmp_path)
    assert run("train", "spec.yaml", *QUICK).exit_code == 0
    assert (tmp_path / "runs" / "spec" / "model.safetensors").is_file()
    again = run("train", "spec.yaml", *QUICK)
    assert again.exit_code == 7
    assert "is there already" in again.stderr


def test_a_wrong_spec_is_told_before_anything_is_built(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace("column", "colum").replace("test.csv", "tst.csv"))
    done = run("train", spec, "-o", tmp_path / "run")
    assert done.exit_code == 2
    assert "no such file" in done.stderr and "did you mean `columns`" in done.stderr


def test_what_a_cell_lacks_is_told_with_its_line(tmp_path: Path) -> None:
    spec = write_tables(tmp_path)
    table = tmp_path / "train.csv"
    lines = table.read_text().splitlines()
    lines[7] = "x" + lines[7][1:]
    table.write_text("\n".join(lines) + "\n")
    done = run("train", spec, "-o", tmp_path / "run")
    assert done.exit_code == 2
    assert "train.csv" in done.stderr and "line 8" in done.stderr and "`a`" in done.stderr
    assert not (tmp_path / "run").exists()


def test_build_writes_a_run_that_predicts(tmp_path: Path) -> None:
    done = run("build", write_tables(tmp_path), "-o", tmp_path / "run", "--json")
    told = json.loads(done.stdout)
    assert f"next: zoo train {tmp_path / 'spec.yaml'} -o {tmp_path / 'run-trained'}" in done.stderr
    assert told["parameters"] > 0
    assert told["starts"]["backbones.left"]["new"]
    assert not (tmp_path / "run" / "metrics.json").exists()
    assert run("predict", tmp_path / "run", "c=1").exit_code == 0


def test_eval_is_what_training_measured_and_more(trained: Path, tmp_path: Path) -> None:
    done = run("eval", trained, "--json", "-o", tmp_path / "found.json")
    assert done.exit_code == 0
    before, after = json.loads((trained / "metrics.json").read_text()), json.loads(done.stdout)
    assert after["subsets"] == approximately(before["subsets"])
    for head, metrics in before["heads"].items():
        assert {name: after["heads"][head][name] for name in metrics} == approximately(metrics)
        assert len(after["heads"][head]) > len(metrics)
    assert set(after) - set(before) == {"classes", "confusion", "audit", "baselines", "verdict", "remarks"}
    assert json.loads((tmp_path / "found.json").read_text()) == after
    assert run("eval", trained, "-o", tmp_path / "found.json").exit_code == 7


def test_eval_tells_in_tables_and_words(trained: Path) -> None:
    told = run("eval", trained).stdout
    for heading in ("kind: classes", "what each modality brings, in points of accuracy", "plain models", "in words"):
        assert heading in told
    assert "majority class" in told and "size" in told
    assert "plain models" not in run("eval", trained, "--no-baselines").stdout


def test_eval_of_a_table_says_which(trained: Path) -> None:
    done = run("eval", trained, trained.parent / "train.csv")
    assert done.exit_code == 0
    assert "train.csv" in done.stdout
    assert "the run learnt from" in done.stderr
    assert "next: zoo predict" in done.stderr
    assert "the run learnt from" not in run("eval", trained, trained.parent / "test.csv").stderr


def test_predict_of_one_sample(trained: Path) -> None:
    done = run("predict", trained, "a=4.2", "b=0.1", "c=2")
    assert done.exit_code == 0
    assert re.match(r"kind: high  \(high [01]\.\d{3}, low", done.stdout)
    told = json.loads(run("predict", trained, "a=4.2", "b=0.1", "c=2", "--json").stdout)
    assert told["kind"]["label"] == "high"
    assert told["kind"]["probability"] == max(told["kind"]["probabilities"].values())
    assert isinstance(told["size"], float)


def test_what_is_left_out_and_what_is_declared_absent_is_the_same(trained: Path) -> None:
    left_out = run("predict", trained, "c=2", "--json")
    absent = run("predict", trained, "a=4.2", "b=0.1", "c=2", "--absent", "left", "--json")
    assert json.loads(left_out.stdout) == json.loads(absent.stdout)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_predict_of_a_table(trained: Path, tmp_path: Path, name: str) -> None:
    table = tmp_path / "new.csv"
    table.write_text("a,b,c,other\n4,0,2,x\n,,0.1,y\n0,1,,z\n")
    done = run("predict", trained, "--table", table, "-o", tmp_path / name)
    assert done.exit_code == 0, done.stderr
    rows = read(tmp_path / name)
    assert [int(row["row"]) for row in rows] == [0, 1, 2]
    assert rows[0]["kind.label"] == "high"
    assert all(0 <= float(row["kind.probabilities.low"]) <= 1 for row in rows)


def read(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    rows: list[dict[str, str]] = parquet.read_table(path).to_pylist()
    return rows


def test_predictions_never_take_the_place_of_a_file(trained: Path, tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text("a,b,c\n4,0,2\n")
    done = run("predict", trained, "--table", table, "-o", table)
    assert done.exit_code == 7
    assert "is there already" in done.stderr
    assert table.read_text() == "a,b,c\n4,0,2\n"


def test_a_column_that_is_absent_need_not_be_there(trained: Path, tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text("a,b\n4,0\n")
    refused = run("predict", trained, "--table", table, "-o", tmp_path / "out.csv")
    assert refused.exit_code == 2 and "`c`" in refused.stderr
    assert not (tmp_path / "out.csv").exists()
    assert run("predict", trained, "--table", table, "-o", tmp_path / "out.csv", "--absent", "right").exit_code == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "give either one sample"),
        (["a=1", "--table", "x.csv"], "give either one sample"),
        (["a"], "not of the form NAME=VALUE"),
        (["a=1", "a=2"], "given twice"),
        (["lft=1"], "did you mean `left`?"),
        (["a=1", "--absent", "rigt"], "did you mean `right`?"),
        (["a=1", "b=2", "--absent", "left"], "no input at all"),
        (["--table", "x.csv"], "name the file for the predictions"),
        (["a=1", "b=1", "-o", "x.csv"], "-o, --columns and --on-error go with --table"),
        (["a=1", "b=1", "--columns", "none"], "go with --table"),
        (["a=1", "b=1", "--on-error", "skip"], "go with --table"),
        (["--table", "nothing.csv", "-o", "x.csv"], "no such file"),
    ],
)
def test_wrong_use_of_predict(trained: Path, words: list[str], told: str) -> None:
    done = run("predict", trained, *words)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    for verb in (["eval", tmp_path], ["predict", tmp_path, "a=1"]):
        done = run(*verb)
        assert done.exit_code == 2
        assert "is no run folder" in done.stderr


def test_rows_without_any_input_have_no_prediction(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "gaps.csv").write_text("a,b,c\n,,\n4.0,0.1,2.0\n,,\n0.0,-0.1,\n")
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        result = run("predict", trained, "--table", tmp_path / "gaps.csv", "-o", tmp_path / name)
        assert result.exit_code == 0, result.stderr
        assert f"wrote {tmp_path / name}: 4 rows in " in result.stderr
        assert "2 of them without a prediction: they have no input" in result.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["kind.label"] is None for row in rows] == [True, False, True, False]
    assert [row["row"] for row in rows] == [0, 1, 2, 3]
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == rows
    (tmp_path / "none.csv").write_text("a,b,c\n,,\n")
    result = run("predict", trained, "--table", tmp_path / "none.csv", "-o", tmp_path / "none.jsonl")
    assert result.exit_code == 2
    assert "no row has any input" in result.stderr


def test_a_file_that_cannot_be_written_is_told_before_a_row_is_read(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for output, told in ((tmp_path / "file" / "out.csv", "is not a folder"), (tmp_path / "out.txt", "written as")):
        result = run("predict", trained, "--table", tmp_path / "gone.csv", "-o", output)
        assert result.exit_code == 2
        assert told in result.stderr


def test_the_next_step_names_what_predict_takes(tmp_path: Path) -> None:
    result = run("train", write_tables(tmp_path), "--set", "train.epochs=1", "-o", tmp_path / "run")
    assert f"next: zoo predict {tmp_path / 'run'} a=... b=... right=..." in result.stderr


ZOO = """\
import runpy, signal, sys
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("zoo", run_name="__main__")
"""
"""zoo as a terminal starts it, also where the tests run under `nohup` or in the background."""


def interrupted(script: str, words: list[str], folder: Path, epoch: int, number: signal.Signals) -> tuple[int, str]:
    """Sends a signal to a training behind some epoch; its exit code, and what it said from there on."""
    command = [sys.executable, "-c", script, "train", str(write_tables(folder)), *words]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith(f"epoch {epoch}/"):
                break
        assert [path.name for path in (folder / "runs").iterdir()] == ["long.training"]
        process.send_signal(number)
        try:
            told = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    return process.returncode, told


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_end_of_a_process_leaves_nothing_half_written(tmp_path: Path, number: signal.Signals) -> None:
    words = ["--set", "train.epochs=100000", "-o", "runs/long"]
    code, told = interrupted(ZOO, words, tmp_path, 2, number)
    assert ("ended by SIGHUP" if number is signal.SIGHUP else "all of it is saved: go on with --resume") in told
    assert code == 128 + number
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["long.training"]
    left = {path.name for path in (tmp_path / "runs" / "long.training").iterdir()}
    assert left == {".lock", "history.jsonl", "made_of.json", "state.safetensors"}


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """`nohup zoo train ...` goes on when the terminal is gone."""
    script = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from zoo.cli import run; run()"
    words = ["--set", "train.epochs=300", "-o", "runs/long"]
    code, _ = interrupted(script, words, tmp_path, 1, signal.SIGHUP)
    assert code == 0
    assert (tmp_path / "runs" / "long" / "metrics.json").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that never saw an input absent."""
    folder = tmp_path_factory.mktemp("whole")
    spec = write_tables(folder)
    for name in ("train.csv", "test.csv"):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join(line for line in lines if not line.startswith(",,")) + "\n")
    done = run("train", spec, *QUICK, "--set", "balance.drop=0", "-o", folder / "run")
    assert done.exit_code == 0, done.stderr
    assert "no training row lacked `left`, `right`" in done.stderr
    return folder / "run"


def test_a_model_that_never_saw_absence_says_so(whole: Path, tmp_path: Path) -> None:
    assert "no training row lacked `left`, `right`" in run("eval", whole).stderr
    assert json.loads(run("eval", whole, "--json").stdout)["never_absent"] == ["left", "right"]
    assert "no training row lacked `right`;" in run("predict", whole, "a=1", "b=0").stderr
    assert "no training row lacked `left`;" in run("predict", whole, "a=1", "b=0", "c=1", "--absent", "left").stderr
    assert "no training row" not in run("predict", whole, "a=1", "b=0", "c=1").stderr
    (tmp_path / "new.csv").write_text("a,b\n4,0\n")
    words = ("--table", tmp_path / "new.csv", "-o", tmp_path / "out.csv", "--absent", "right")
    assert "no training row lacked `right`;" in run("predict", whole, *words).stderr


def test_a_model_that_saw_absence_has_nothing_to_say(trained: Path) -> None:
    for words in (("eval", trained), ("predict", trained, "a=1", "b=0")):
        assert "no training row" not in run(*words).stderr


@pytest.mark.parametrize("words", [("right=",), ("a=", "b="), ("a=", "c=")])
def test_a_sample_of_empty_values_has_no_input(trained: Path, words: tuple[str, ...]) -> None:
    result = run("predict", trained, *words)
    assert result.exit_code == 2
    assert "it has no input at all" in result.stderr


def test_an_empty_value_is_an_empty_cell(trained: Path) -> None:
    assert run("predict", trained, "a=1", "b=", "c=").stdout == run("predict", trained, "a=1").stdout


def test_predicting_from_nothing_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a,b,c\n4,0,2\n")
    absent = ("--absent", "left", "--absent", "right")
    for words in (("c=1",), ("--table", tmp_path / "new.csv", "-o", tmp_path / "out.csv")):
        result = run("predict", trained, *words, *absent)
        assert result.exit_code == 2
        assert "every input is to count as absent" in result.stderr


def test_the_next_step_keeps_what_was_set(tmp_path: Path) -> None:
    spec, setting = write_tables(tmp_path), "data.train={path: train.csv}"
    for words in (("check", spec), ("plan", spec), ("build", spec, "-o", tmp_path / "built")):
        told = run(*words, "--set", setting, "--set", "train.epochs=1").stderr
        assert told.splitlines()[-1].endswith(f"--set '{setting}' --set train.epochs=1")
