import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import run
from zoo.data.check.finding import Level
from zoo.data.check.quick import choose
from zoo.data.check.report import Report, check_data
from zoo.spec.load import load_spec

TEXTS = """\
inputs: {review: {type: text, backbone: {use: transformers/bert, weights: none}}}
heads: {mood: {use: zoo/classifier, column: label}}
data: {train: train.jsonl, validation: 0.2, test: test.jsonl}
"""
NUMBERS = """\
inputs:
  left: {type: vector, columns: [a, b], backbone: zoo/mlp}
  right: {type: vector, columns: [c], backbone: zoo/mlp}
fusion: zoo/concat
heads: {mood: {use: zoo/classifier, column: label}}
data: {train: train.jsonl, validation: 0.2}
"""


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def check(folder: Path, text: str, further: Path | None = None) -> Report:
    (folder / "spec.yaml").write_text(text)
    return check_data(load_spec(folder / "spec.yaml"), further)


def found(report: Report, kind: str) -> list[tuple[str, int | None]]:
    return [(Path(each.table).name, each.row) for each in report.findings if each.kind == kind]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    words = ["red", "old", "slow", "loud", "dark", "kind", "late", "mild", "bold", "calm", "vast", "wild"]
    rows = [
        {"review": f"{word} {other} {number}", "label": "ab"[number % 2]}
        for number, (word, other) in enumerate(zip(words, reversed(words), strict=True))
    ]
    write(
        tmp_path / "train.jsonl",
        [*rows, {"review": "Red  WILD 0", "label": "a"}, {"review": "old vast 1", "label": "a"}],
    )
    write(tmp_path / "test.jsonl", [{"review": "another one", "label": "a"}, {"review": "slow calm 2", "label": "b"}])
    return tmp_path


def test_duplicates_leaks_and_contradictions_are_told_with_their_rows(texts: Path) -> None:
    report = check(texts, TEXTS)
    assert report.ok
    assert found(report, "duplicate") == [("train.jsonl", 13), ("train.jsonl", 14)]
    assert found(report, "leak") == [("test.jsonl", 2)]
    assert found(report, "conflict") == [("train.jsonl", 2), ("train.jsonl", 14), ("train.jsonl", 3), ("test.jsonl", 2)]
    (leak,) = [each for each in report.findings if each.kind == "leak"]
    assert leak.message == f"the same inputs stand in `{texts / 'train.jsonl'}`, line 3, which is learnt"
    assert leak.level is Level.WARNING


def test_a_table_that_is_named_for_one_head_after_the_other_is_looked_at_once(texts: Path) -> None:
    twice = "[{path: train.jsonl, heads: [mood]}, {path: train.jsonl, weight: 2}]"
    report = check(texts, TEXTS.replace("train: train.jsonl", f"train: {twice}"))
    assert found(report, "duplicate") == [("train.jsonl", 13), ("train.jsonl", 14)]


def test_what_a_table_is_like(texts: Path) -> None:
    train, test = check(texts, TEXTS).tables
    assert (train["rows"], test["rows"], train["role"], test["role"]) == (14, 2, "train", "test")
    assert train["heads"]["mood"] == {"labelled": 14, "classes": {"a": 8, "b": 6}}
    assert train["inputs"]["review"]["measures"] == {"words": {"min": 3.0, "median": 3.0, "max": 3.0}}


def test_a_further_table_stands_in_the_place_of_the_test_table_and_needs_no_labels(texts: Path) -> None:
    write(texts / "new.jsonl", [{"review": "slow calm 2", "author": "x"}, {"review": None, "author": "y"}])
    report = check(texts, TEXTS, texts / "new.jsonl")
    assert [Path(each["table"]).name for each in report.tables] == ["train.jsonl", "new.jsonl"]
    assert report.tables[1]["unused_columns"] == ["author"]
    assert found(report, "leak") == [("new.jsonl", 1)]
    assert found(report, "empty row") == [("new.jsonl", 2)]
    assert not report.ok


def test_a_missing_column_of_a_further_table_is_told_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    rows = [{"a": row, "b": row % 3, "c": row * 2, "label": "xy"[row % 2]} for row in range(10)]
    write(tmp_path / "train.jsonl", rows)
    write(tmp_path / "new.jsonl", [{"a": 1, "b": 2}, {"a": "much", "b": 2}])
    report = check(tmp_path, NUMBERS, tmp_path / "new.jsonl")
    assert [(each.kind, each.column, each.row) for each in report.findings if each.level is Level.ERROR] == [
        ("column", "c", None),
        ("table", "", None),
    ]


def separable(rows: int, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    made = []
    for row in range(rows):
        kind = row % 3
        a, b = random.normal([3 * kind, -3 * (kind == 1)])
        made.append({"a": a, "b": b, "c": random.normal(), "label": "xyz"[kind]})
    return made


def test_labels_that_were_changed_are_the_first_suspects(tmp_path: Path) -> None:
    rows = separable(300)
    changed = [10, 31, 55, 102, 140, 201, 222, 270]
    for row in changed:
        rows[row]["label"] = {"x": "z", "y": "x", "z": "x"}[rows[row]["label"]]
    write(tmp_path / "train.jsonl", rows)
    report = check(tmp_path, NUMBERS)
    suspects = [each.row - 1 for each in report.findings if each.kind == "label noise" and each.row is not None]
    assert len(set(suspects[:8]) & set(changed)) >= 7
    assert len(suspects) <= 12
    assert all(each.level is Level.SUSPECT for each in report.findings if each.kind == "label noise")


def test_labels_that_are_right_are_hardly_suspected(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", separable(300))
    assert len(found(check(tmp_path, NUMBERS), "label noise")) <= 6


def test_an_input_that_tells_the_label_is_pointed_out(tmp_path: Path) -> None:
    rows = separable(120)
    for row in rows:
        row["c"] = 10.0 * "xyz".index(row["label"])
    write(tmp_path / "train.jsonl", rows)
    (told,) = [each for each in check(tmp_path, NUMBERS).findings if each.kind == "tells the label"]
    assert told.column == "c"
    assert told.message.startswith("`right` alone tells `mood` in 100.0% of 120 rows")


def test_a_rare_class_is_told(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [*separable(90), {"a": 1, "b": 1, "c": 1, "label": "rare"}])
    messages = [each.message for each in check(tmp_path, NUMBERS).findings if each.kind == "class"]
    assert messages[0] == "classes of `mood` with fewer than 5 training rows: `rare` 1"
    assert "30 training rows, the rarest class of `mood` 1" in messages[1]


def test_the_same_rows_are_chosen_each_time_and_never_too_many() -> None:
    one, two = choose([15_000, 0, 15_000]), choose([15_000, 0, 15_000])
    assert [len(each) for each in one] == [15_000, 0, 15_000]
    assert sum(int(each.sum()) for each in one) == 20_000
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_all_findings_are_written_for_a_spreadsheet(texts: Path) -> None:
    (texts / "spec.yaml").write_text(TEXTS)
    result = run("data", "check", texts / "spec.yaml", "--json", "-o", texts / "problems.csv")
    told = json.loads(result.stdout)
    with (texts / "problems.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["row"], row["place"]) for row in rows] == [
        (each["kind"], str(each["row"] or ""), each["place"]) for each in told["findings"]
    ]
    assert told["ok"] and result.exit_code == 0
    assert "zoo train" in result.stderr
    before = (texts / "train.jsonl").read_bytes()
    again = run("data", "check", texts / "spec.yaml", "-o", texts / "train.jsonl")
    assert (again.exit_code, "is there already" in again.stderr) == (7, True)
    assert (texts / "train.jsonl").read_bytes() == before


def test_groups_on_both_sides_of_a_split_are_told(texts: Path) -> None:
    for name, speakers in (("train", "abc"), ("test", "bdd")):
        rows = [json.loads(line) for line in (texts / f"{name}.jsonl").read_text().splitlines()]
        write(texts / f"{name}.jsonl", [{**row, "speaker": speakers[number % 3]} for number, row in enumerate(rows)])
    report = check(texts, TEXTS + "evaluate: {groups: speaker}\n")
    (told,) = [each.message for each in report.findings if each.kind == "leak" and each.column == "speaker"]
    assert told.startswith("1 of its 2 groups of `speaker` stand in the training rows too (b)")
    assert not [each for each in check(texts, TEXTS).findings if each.column == "speaker"]


def test_a_spec_without_training_table_and_a_table_that_is_not_there(texts: Path) -> None:
    (texts / "spec.yaml").write_text(TEXTS)
    none = run("data", "check", texts / "spec.yaml", "--set", "data={}")
    assert (none.exit_code, "`data.train` names no table" in none.stderr) == (2, True)
    gone = run("data", "check", texts / "spec.yaml", "--table", texts / "gone.csv")
    assert (gone.exit_code, "no such file or folder" in gone.stdout) == (2, True)


def test_the_words_end_with_what_to_mend_first(texts: Path) -> None:
    (texts / "spec.yaml").write_text(TEXTS)
    out = run("data", "check", texts / "spec.yaml").stdout
    assert (
        "found: 2 duplicate (warning), 1 leak (warning), 4 conflict (warning)" in out.replace("\n", " ")
        or "1 leak (warning)" in out
    )
    assert "1. take the rows out of training that stand in the other tables too" in out
