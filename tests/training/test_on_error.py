"""`data.on_error: skip`: rows that cannot be used are left out, told and listed, and the rest is what it was."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.numbers import same_numbers
from tests.tables import SPEC, write_tables
from tests.training.test_bad_rows import PICTURES, change, write_pictures
from zoo.data.rows import open_rows
from zoo.errors import UsageError
from zoo.evaluation.evaluate import evaluate
from zoo.model.build import build
from zoo.model.usable import usable_rows
from zoo.planning.plan import plan
from zoo.spec.load import load_spec
from zoo.training.train import train

SKIP = "on_error: skip, train: train.csv"


def numbers(spec: Path) -> dict[str, list[int]]:
    rows = usable_rows(load_spec(spec))
    parts = {"training": rows.training, "validation": rows.validation, "test": rows.test}
    return {name: [int(row) for each in part for row in each.numbers] for name, part in parts.items()}


def listed(run: Path) -> list[dict[str, str]]:
    with (run / "skipped.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures of which the rows 3 and 7 to train, and 5 to test, cannot be used."""
    spec = write_pictures(tmp_path)
    spec.write_text(PICTURES.replace("train: train.csv", SKIP))
    (tmp_path / "train3.png").unlink()
    (tmp_path / "train7.png").write_bytes((tmp_path / "train7.png").read_bytes()[:300])
    (tmp_path / "test5.png").write_bytes(b"no picture")
    return spec


def test_they_are_left_out_listed_and_counted(pictures: Path) -> None:
    folder = pictures.parent
    run = train(pictures, folder / "run")
    rows = listed(folder / "run")
    assert [(Path(row["table"]).name, row["row"], row["column"], row["file"]) for row in rows] == [
        ("train.csv", "4", "photo", "train3.png"),
        ("train.csv", "8", "photo", "train7.png"),
        ("test.csv", "6", "photo", "test5.png"),
    ]
    assert rows[0]["place"].endswith("train.csv`, line 5")
    assert "there is no file 'train3.png'" in rows[0]["message"]
    assert "the picture is damaged" in rows[1]["message"]
    assert run.metrics["unusable"] == 1
    assert run.metrics["heads"]["kind"]["accuracy"]["n"] == 15
    again = evaluate(folder / "run").as_dict()
    assert same_numbers(again, json.loads((folder / "run" / "metrics.json").read_text()))
    assert "1 row cannot be used" in repr(evaluate(folder / "run"))
    assert "1 of its rows cannot be used" in (folder / "run" / "README.md").read_text()


def test_the_validation_share_is_drawn_before_and_the_rest_stays_as_it_was(pictures: Path) -> None:
    opened = open_rows(load_spec(pictures))
    found = numbers(pictures)
    for name in ("training", "validation"):
        before = [int(row) for each in getattr(opened, name) for row in each.numbers]
        assert found[name] == [row for row in before if row not in (3, 7)]
    assert found["test"] == [row for row in range(16) if row != 5]


def test_how_many_processes_look_changes_nothing(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = usable_rows(load_spec(pictures)).unusable
    monkeypatch.setattr("zoo.data.workers.WORTH", 0.0)
    monkeypatch.setattr("zoo.data.workers.os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr("zoo.data.usable.AT_ONCE", 2)
    assert usable_rows(load_spec(pictures)).unusable == alone
    assert len(alone) == 3


def test_they_are_told_in_a_remark(pictures: Path) -> None:
    remarks = usable_rows(load_spec(pictures)).remarks
    assert [remark.replace(str(pictures.parent) + "/", "") for remark in remarks] == [
        "2 of 16 rows of `train.csv` cannot be used and are left out: see skipped.csv",
        "1 of 16 rows of `test.csv` cannot be used and are left out: see skipped.csv",
    ]


def test_validation_rows_that_are_left_out_are_counted_the_same_in_training_and_later(pictures: Path) -> None:
    folder = pictures.parent
    text = pictures.read_text().replace(", test: test.csv", "").replace("validation: 0.25", "validation: 0.5")
    pictures.write_text(text)
    run = train(pictures, folder / "run")
    assert run.metrics["split"] == "validation"
    assert run.metrics["unusable"] + run.metrics["heads"]["kind"]["accuracy"]["n"] == 8
    assert same_numbers(evaluate(folder / "run").as_dict(), run.metrics)


def test_a_table_of_which_more_than_half_is_bad_stops(pictures: Path) -> None:
    for row in range(9):
        (pictures.parent / f"test{row}.png").write_bytes(b"")
    with pytest.raises(UsageError, match=r"test\.csv`: 9 of 16 rows cannot be used, which is more than half.*line 2,"):
        train(pictures)


def vectors(folder: Path, *changes: tuple[str, int, str, str]) -> Path:
    spec = write_tables(folder, SPEC.replace("train: train.csv", SKIP))
    for table, row, column, cell in changes:
        change(folder / table, row, column, cell)
    return spec


@pytest.mark.parametrize(
    ("change_of", "message"),
    [
        (("train.csv", 4, "a", "much"), "column `a`: 'much' (str) is no number"),
        (("train.csv", 4, "size", "tall"), "'tall' (str) is no number"),
        (("test.csv", 4, "kind", "middle"), "`middle` is none of the 2 classes"),
        (("test.csv", 4, "b", "1e99"), "column `b`: 1e+99 (float) is too large a number"),
    ],
)
def test_a_cell_that_learning_would_stop_at(tmp_path: Path, change_of: Any, message: str) -> None:
    spec = vectors(tmp_path, change_of)
    found = usable_rows(load_spec(spec)).unusable
    assert [(Path(each.table).name, each.row) for each in found] == [(change_of[0], 4)]
    assert message in found[0].message
    plan(spec)
    build(spec)


def test_what_is_no_rows_fault_stops_as_ever(tmp_path: Path) -> None:
    spec = vectors(tmp_path, ("train.csv", 4, "a", "much"))
    text = (tmp_path / "train.csv").read_text().replace(",low,", ",high,")
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(UsageError, match="a choice needs two classes"):
        train(spec)


def test_a_class_that_only_left_out_rows_had_is_no_class(tmp_path: Path) -> None:
    spec = vectors(tmp_path, ("train.csv", 4, "kind", "other"), ("test.csv", 6, "kind", "other"))
    change(tmp_path / "train.csv", 4, "c", "nothing")
    run = train(spec, tmp_path / "run")
    assert run.model.fitted["heads"]["kind"]["classes"] == ["high", "low"]
    assert [(Path(row["table"]).name, row["row"]) for row in listed(tmp_path / "run")] == [
        ("train.csv", "5"),
        ("test.csv", "7"),
    ]


def test_a_row_without_any_input_is_left_out(tmp_path: Path) -> None:
    spec = vectors(tmp_path, ("train.csv", 3, "c", ""))  # where a and b are empty already
    (found,) = usable_rows(load_spec(spec)).unusable
    assert (found.row, found.column) == (3, "")
    assert found.message.startswith("it has no input at all")


def test_where_nothing_is_wrong_nothing_is_listed_and_the_model_is_the_same(tmp_path: Path) -> None:
    spec = write_tables(tmp_path)
    one = train(spec, tmp_path / "one")
    spec.write_text(SPEC.replace("train: train.csv", SKIP))
    two = train(spec, tmp_path / "two")
    assert not (tmp_path / "two" / "skipped.csv").exists()
    assert two.metrics == one.metrics
    assert [each["loss"] for each in two.history] == [each["loss"] for each in one.history]


def test_rows_that_are_left_out_weigh_as_little_as_rows_that_are_not_there(tmp_path: Path) -> None:
    spec = vectors(tmp_path, ("train.csv", 4, "c", "nothing"))
    (tmp_path / "aside.csv").write_text((tmp_path / "test.csv").read_text())
    spec.write_text(spec.read_text().replace("validation: 0.25", "validation: aside.csv"))
    skipped = train(spec)
    with (tmp_path / "train.csv").open() as file:
        lines = list(file)
    (tmp_path / "train.csv").write_text("".join(lines[:5] + lines[6:]))
    assert [each["loss"] for each in train(spec).history] == [each["loss"] for each in skipped.history]
