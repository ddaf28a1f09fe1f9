"""Cross-validation: what it measures, what reaches learning, how it goes on, what it leaves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from tests.command import run
from tests.tables import SPEC, write_tables
from zoo.errors import ConflictError, UsageError
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.resampled import ResampledTest
from zoo.spec.load import load_spec
from zoo.training.crossed.against import Against
from zoo.training.crossed.cross_validate import cross_validate
from zoo.training.crossed.curve import Size, Teller
from zoo.training.crossed.found import CrossValidation
from zoo.training.progress import Silent

QUICK = SPEC.replace("epochs: 4", "epochs: 1").replace("test: test.csv", "test: nowhere.csv")
"""A spec whose test table would be missed, if anybody opened it."""


class PowerCut(OSError):
    """What ends the work at a place that a test chose."""


class Cut(Silent):
    """Ends the training of a number at its first step."""

    def __init__(self, training: int) -> None:
        self.left = training

    def start(self, model: Any, remarks: Any) -> None:
        self.left -= 1
        if not self.left:
            raise PowerCut


def timeless(found: CrossValidation) -> dict[str, Any]:
    return found.as_dict() | {"predictions": found.predictions.to_pydict()}


def test_every_row_is_predicted_once_in_every_repeat_and_measured(tmp_path: Path) -> None:
    found = cross_validate(write_tables(tmp_path, SPEC), tmp_path / "cv", folds=2, repeats=2)
    told = found.predictions.to_pydict()
    assert told["row"] == [*range(96)] * 2 and told["repeat"] == [1] * 96 + [2] * 96
    assert set(told["fold"]) == {1, 2} and set(told["table"]) == {"train.csv"}
    accuracy = found.heads["kind"]["accuracy"]
    hits = [true == said for true, said in zip(told["true.kind"], told["kind.label"], strict=True)]
    assert accuracy.value == pytest.approx(np.mean(hits)) and accuracy.n == 96
    assert accuracy.low is not None and accuracy.low < accuracy.value > 0.85
    over = found.over_folds["kind"]["accuracy"].as_dict()
    folds = list(zip(told["repeat"], told["fold"], strict=True))
    values = [
        np.mean([hit for hit, at in zip(hits, folds, strict=True) if at == (r, f)]) for r in (1, 2) for f in (1, 2)
    ]
    assert over["values"] == pytest.approx(values)
    assert over["mean"] == pytest.approx(np.mean(values)) and over["sd"] == pytest.approx(np.std(values, ddof=1))
    assert found.heads["size"]["r2"].n == 83
    assert {subset: heads["kind"]["accuracy"].n for subset, heads in found.subsets.items()} == {
        "left": 86,
        "right": 96,
        "left+right": 96,
    }
    files = {"metrics.json", "predictions.parquet", "zoo.lock", "zoo.yaml"}
    assert {path.name for path in (tmp_path / "cv").iterdir()} == files
    assert not list(tmp_path.glob("*.training"))
    assert json.loads((tmp_path / "cv" / "metrics.json").read_text()) == found.as_dict()
    assert parquet.read_table(tmp_path / "cv" / "predictions.parquet").to_pydict() == told
    lock = json.loads((tmp_path / "cv" / "zoo.lock").read_text())
    assert set(lock["data"]) == {"train.csv"} and lock["folds"] == 2 and lock["libraries"]["torch"]


@pytest.mark.slow
def test_repeats_make_no_interval_narrower_than_rows_allow(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK)
    one, many = (cross_validate(spec, folds=2, repeats=repeats).heads["kind"]["accuracy"] for repeats in (1, 3))
    assert one.high is not None and one.low is not None and many.high is not None and many.low is not None
    assert many.high - many.low > 0.6 * (one.high - one.low)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_and_another_does_not(tmp_path: Path) -> None:
    path = write_tables(tmp_path, QUICK)
    one, two, other = (
        timeless(cross_validate(load_spec(path, overrides=[f"train.seed={seed}"]), folds=2)) for seed in (3, 3, 4)
    )
    assert one == two != other
    assert one["predictions"]["fold"] != other["predictions"]["fold"]


def test_nothing_of_the_rows_held_out_reaches_learning(tmp_path: Path) -> None:
    # Each row of a fold has a colour of its own: a category that was learnt would have an output of its own.
    rows = [{"colour": f"c{row}", "x": float(row), "kind": "ab"[row % 2]} for row in range(24)]
    spec = {
        "inputs": {
            "v": {"type": "vector", "columns": ["x", "colour"], "categories": ["colour"], "backbone": "zoo/mlp"}
        },
        "heads": {"kind": "zoo/classifier"},
        "data": {"train": "memory:rows"},
        "train": {"epochs": 1},
    }

    class Seen(Silent):
        fitted: list[Any] = []

        def start(self, model: Any, remarks: Any) -> None:
            self.fitted.append(json.dumps(model.fitted))

    seen = Seen()
    found = cross_validate(spec, folds=3, tables={"rows": rows}, watch=seen)
    folds = found.predictions.to_pydict()["fold"]
    for fold, fitted in enumerate(seen.fitted, 1):
        held = {f'"c{row}"' for row in range(24) if folds[row] == fold}
        assert len(held) == 8 and not [each for each in held if each in fitted]
        assert any(f'"c{row}"' in fitted for row in range(24))


def test_a_class_of_one_row_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK)
    text = (tmp_path / "train.csv").read_text()
    (tmp_path / "train.csv").write_text(text + "1,1,1,middle,2\n")
    with pytest.raises(UsageError, match="the class `middle` has one row, and nothing is left to learn it from"):
        cross_validate(spec, tmp_path / "cv", watch=Cut(1))
    assert not list(tmp_path.glob("cv*"))


def test_groups_stay_whole_and_are_resampled_whole(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK + "evaluate: {groups: who, folds: 3}\n")
    header, *lines = (tmp_path / "train.csv").read_text().splitlines()
    numbered = [f"{line},p{number // 8}" for number, line in enumerate(lines)]
    (tmp_path / "train.csv").write_text("\n".join([f"{header},who", *numbered]) + "\n")
    found = cross_validate(spec)
    folds = np.array(found.predictions.to_pydict()["fold"]).reshape(12, 8)
    assert (folds == folds[:, :1]).all() and set(folds[:, 0]) == {1, 2, 3}
    assert "the 12 groups of `who` stay whole, and intervals count them as independent" in found.remarks


def test_an_interrupted_one_goes_on_where_it_was(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK)
    whole = cross_validate(spec, folds=3)
    with pytest.raises(PowerCut):
        cross_validate(spec, tmp_path / "cv", folds=3, watch=Cut(3))
    assert not (tmp_path / "cv").exists()
    with pytest.raises(ConflictError, match="go on with --resume"):
        cross_validate(spec, tmp_path / "cv", folds=3)
    with pytest.raises(UsageError, match="`folds: 3`, and now it is 2"):
        cross_validate(spec, tmp_path / "cv", folds=2, resume=True)
    lines: list[str] = []
    found = cross_validate(spec, tmp_path / "cv", folds=3, resume=True, tell=lines.append)
    assert timeless(found) == timeless(whole)
    assert ["done before" in line for line in lines] == [True, True, False]
    assert not list(tmp_path.glob("*.training"))


@pytest.mark.slow
def test_one_whose_folds_are_all_done_needs_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise PowerCut

    spec = write_tables(tmp_path, QUICK)
    whole = cross_validate(spec, folds=2, curve=True)
    with monkeypatch.context() as patch:
        patch.setattr("zoo.training.crossed.cross_validate.write_found", full)
        with pytest.raises(PowerCut):
            cross_validate(spec, tmp_path / "cv", folds=2, curve=True)
    found = cross_validate(spec, tmp_path / "cv", folds=2, curve=True, resume=True, watch=Cut(1))
    assert timeless(found) == timeless(whole)


def test_a_failure_before_the_first_fold_is_done_leaves_nothing(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(PowerCut):
        cross_validate(spec, tmp_path / "cv", watch=Cut(1))
    (tmp_path / "train.csv").write_text((tmp_path / "train.csv").read_text().replace(",low,", ",high,"))
    with pytest.raises(UsageError, match=r"fold 1 of 5: .*all training rows are of the class"):
        cross_validate(spec, tmp_path / "cv")
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_a_better_spec_is_better_and_the_same_spec_is_not(tmp_path: Path) -> None:
    good = write_tables(tmp_path, SPEC)
    bad = tmp_path / "bad.yaml"
    bad.write_text(SPEC.replace("learning_rate: 0.02", "learning_rate: 0.0000001"))
    found = cross_validate(bad, tmp_path / "cv", against=good, folds=4).against
    assert found is not None and found.folds.p is not None
    assert found.folds.value > 0 and found.text.startswith("spec is better by ") == (found.folds.p <= 0.05)
    assert found.folds.value == pytest.approx(found.theirs.value - found.ours.value)
    assert found.gain.value == pytest.approx(found.folds.value) and found.gain.low is not None and found.gain.low > 0
    assert {"against.yaml", "predictions-against.parquet"} <= {path.name for path in (tmp_path / "cv").iterdir()}
    same = cross_validate(good, against=good, folds=2).against
    assert same is not None
    assert same.folds.value == 0 and same.text.startswith("no difference")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("  kind: zoo/classifier", "  other: {use: zoo/classifier, column: kind}"), "has no head `kind`"),
        (("  kind: zoo/classifier", "  kind: {use: zoo/classifier, column: size}"), "the heads `kind` of .* differ"),
        (("train: train.csv", "train: test.csv"), "do not learn from the same rows"),
    ],
)
def test_specs_that_cannot_be_compared_are_refused(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    spec = write_tables(tmp_path, QUICK)
    other = tmp_path / "other.yaml"
    other.write_text(QUICK.replace(*change))
    with pytest.raises(UsageError, match=told):
        cross_validate(spec, tmp_path / "cv", against=other, watch=Cut(1))
    assert not list(tmp_path.glob("cv*"))


@pytest.mark.slow
def test_the_learning_curve_of_each_size(tmp_path: Path) -> None:
    found = cross_validate(write_tables(tmp_path, SPEC), folds=3, curve=True).learning_curve
    assert found is not None and found.metric == "accuracy"
    assert [each.rows for each in found.sizes] == [8, 16, 32, 64]
    assert all(each.held.n == 96 and len(each.folds) == 3 and each.learnt.low is not None for each in found.sizes)
    assert found.constant == pytest.approx(0.5, abs=0.1)
    assert any("overfits" in each or "underfits" in each for each in found.verdict)
    assert any("more labels would give" in each for each in found.verdict)
    told = found.as_dict()
    assert [each["rows"] for each in told["expected"]] in ([], [128, 256])


@pytest.mark.slow
def test_models_are_kept_by_wish_alone_and_are_those_that_predicted(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC)
    found = cross_validate(spec, tmp_path / "cv", folds=2, keep_models=True)
    assert sorted(path.name for path in (tmp_path / "cv" / "models").iterdir()) == ["first-1-1", "first-1-2"]
    model = tmp_path / "cv" / "models" / "first-1-2"
    header, *lines = (tmp_path / "train.csv").read_text().splitlines()
    folds = found.predictions.to_pydict()["fold"]
    held = [line for line, fold in zip(lines, folds, strict=True) if fold == 2]
    (tmp_path / "held.csv").write_text("\n".join([header, *held]) + "\n")
    accuracy = evaluate(model, tmp_path / "held.csv", baselines=False).heads["kind"]["accuracy"]
    assert accuracy.value == pytest.approx(found.over_folds["kind"]["accuracy"].values[1])
    with pytest.raises(UsageError, match="name one"):
        cross_validate(spec, keep_models=True)


def test_rows_that_cannot_be_used_stand_in_no_number(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK.replace("train: train.csv", "train: train.csv, on_error: skip"))
    with (tmp_path / "train.csv").open("a") as file:
        file.write("x,1,1,low,2\n")
    found = cross_validate(spec, tmp_path / "cv", folds=2)
    assert (found.rows, found.unusable) == (96, 1)
    assert (tmp_path / "cv" / "skipped.csv").read_text().splitlines()[1].count("train.csv,97,") == 1


def test_a_validation_table_of_its_own_chooses_and_is_not_measured(tmp_path: Path) -> None:
    spec = write_tables(tmp_path, QUICK.replace("validation: 0.25", "validation: test.csv"))
    found = cross_validate(spec, folds=2)
    assert found.rows == 96 and set(found.predictions.to_pydict()["table"]) == {"train.csv"}


@pytest.mark.slow
def test_the_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path, SPEC.replace("epochs: 4", "epochs: 1"))
    monkeypatch.chdir(tmp_path)
    result = run("cv", "spec.yaml", "--folds", 2, "--against", "spec.yaml", "--learning-curve")
    assert result.exit_code == 0, result.stderr
    assert "wrote runs/spec-cv\nmeasured on 96 rows, each held out once, in 2 folds" in result.stdout
    assert "folds: mean (sd)" in result.stdout and "accuracy by the number of rows" in result.stdout
    assert "fold 1 of 2, spec: kind accuracy" in result.stderr
    assert result.stderr.endswith("next: zoo train spec.yaml\n")
    assert run("cv", "spec.yaml").exit_code == 7
    again = run("cv", "spec.yaml", "--resume", "--json")
    assert (again.exit_code, json.loads(again.stdout)["folds"]) == (0, 2)
    told = json.loads(run("cv", "spec.yaml", "--folds", 2, "--json", "-o", "two").stdout)
    assert told["folder"] == "two" and told["heads"]["kind"]["accuracy"]["n"] == 96
    assert told["against"] is None and told["learning_curve"] is None


HALF = Estimate(0.5, 100, 0.4, 0.6)


@pytest.mark.parametrize(
    ("test", "share", "told"),
    [
        (
            ResampledTest(0.012, 5, 0.003, 0.021, 0.02),
            True,
            "B is better by 1.2 points of accuracy [+0.3, +2.1], p = 0.02",
        ),
        (
            ResampledTest(-0.012, 5, -0.021, -0.003, 0.0004),
            True,
            "B is worse by 1.2 points of accuracy [+0.3, +2.1], p = 0.0004",
        ),
        (
            ResampledTest(0.012, 5, -0.003, 0.021, 0.2),
            False,
            "no difference is shown: B gains +0.012 of accuracy [-0.003, +0.021], p = 0.20",
        ),
        (ResampledTest(0.0, 5, reason="why"), True, "no difference is shown in accuracy: why"),
    ],
)
def test_a_comparison_in_words(test: ResampledTest, share: bool, told: str) -> None:
    assert Against("B", "kind", "accuracy", share, HALF, HALF, test, HALF).text == told


@pytest.mark.parametrize(
    ("learnt", "held", "told"),
    [
        ((0.99, 0.98, 1.0), (0.8, 0.75, 0.85), "it overfits: accuracy 0.990 on the rows learnt from, 0.800"),
        ((0.99, 0.7, 1.0), (0.8, 0.75, 0.85), "it neither overfits nor underfits"),
        ((0.6, 0.5, 0.7), (0.58, 0.5, 0.7), "it underfits: "),
        ((0.92, 0.9, 0.94), (0.9, 0.88, 0.92), "it neither overfits nor underfits"),
    ],
)
def test_overfitting_and_underfitting_in_words(
    learnt: tuple[float, float, float], held: tuple[float, float, float], told: str
) -> None:
    on_learnt, on_held = (Estimate(value, 100, low, high) for value, low, high in (learnt, held))
    size = Size(100, on_learnt, on_held, ())
    assert Teller("accuracy", True, True).fit(size, 0.5).startswith(told)
