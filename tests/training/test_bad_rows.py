"""Rows that cannot be used: told before the first step where that can be known, and at no time for the whole run."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tables import SPEC, write_tables
from zoo.errors import UsageError
from zoo.evaluation.evaluate import evaluate
from zoo.model.run import read_run, write_history
from zoo.training.progress import Silent
from zoo.training.train import train

PICTURES = """\
inputs:
  photo: {type: image, backbone: {use: timm/test_resnet, weights: none}}
heads:
  kind: zoo/classifier
data: {train: train.csv, validation: 0.25, test: test.csv}
train: {epochs: 1, batch_size: 8}
"""


class Steps(Silent):
    """Counts the steps."""

    def __init__(self) -> None:
        self.count = 0

    def step(self, epoch: int, done: int, steps: int, loss: float, rate: float) -> None:
        self.count += 1


def change(table: Path, row: int, column: str, cell: str) -> None:
    """Writes a cell of a CSV file; rows are counted from 0."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row][column] = cell
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_pictures(folder: Path) -> Path:
    """Pictures beside two tables, and a spec for them."""
    random = np.random.default_rng(0)
    for name in ("train", "test"):
        lines = ["photo,kind"]
        for row in range(16):
            Image.fromarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(folder / f"{name}{row}.png")
            lines.append(f"{name}{row}.png,{'ab'[row % 2]}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "spec.yaml").write_text(PICTURES)
    return folder / "spec.yaml"


@pytest.mark.parametrize(("table", "row", "line"), [("test.csv", 4, 6), ("train.csv", 9, 11)])
def test_a_wrong_label_is_told_before_the_first_step(tmp_path: Path, table: str, row: int, line: int) -> None:
    spec = write_tables(
        tmp_path, SPEC.replace("kind: zoo/classifier", "kind: {use: zoo/classifier, classes: [low, high]}")
    )
    change(tmp_path / table, row, "kind", "hihg")
    steps = Steps()
    with pytest.raises(UsageError, match=rf"{table}`, line {line}, column `kind`: `hihg` is none of the 2 classes"):
        train(spec, tmp_path / "run", watch=steps)
    assert steps.count == 0
    assert not (tmp_path / "run").exists()


def test_a_picture_that_is_not_there_is_told_before_the_first_step(tmp_path: Path) -> None:
    spec = write_pictures(tmp_path)
    (tmp_path / "test7.png").unlink()
    steps = Steps()
    with pytest.raises(UsageError, match=r"test\.csv`, line 9, column `photo`: there is no file 'test7\.png'"):
        train(spec, watch=steps)
    assert steps.count == 0


def test_how_many_more_cells_are_wrong_is_told(tmp_path: Path) -> None:
    spec = write_pictures(tmp_path)
    for row in (3, 7, 8):
        (tmp_path / f"test{row}.png").unlink()
    with pytest.raises(UsageError, match=r"line 5, .*'test3\.png'.*; and 2 more cells cannot be used"):
        train(spec)


def test_a_damaged_picture_in_the_test_table_costs_no_training(tmp_path: Path) -> None:
    spec = write_pictures(tmp_path)
    whole = (tmp_path / "test3.png").read_bytes()
    (tmp_path / "test3.png").write_bytes(whole[:200])
    with pytest.raises(UsageError, match=r"line 5, column `photo`.*the run is kept in `.*run`.*zoo eval"):
        train(spec, tmp_path / "run")
    read_run(tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()
    (tmp_path / "test3.png").write_bytes(whole)
    assert evaluate(tmp_path / "run").heads["kind"]["accuracy"].n == 16


def test_the_card_of_a_run_tells_what_was_measured(tmp_path: Path) -> None:
    run = train(write_tables(tmp_path), tmp_path / "run")
    assert f"{run.metrics['heads']['kind']['accuracy']['value']:.3f}" in (tmp_path / "run" / "README.md").read_text()


def test_files_of_a_run_hold_no_bare_nan(tmp_path: Path) -> None:
    def strict(constant: str) -> Any:
        raise AssertionError(constant)

    write_history(tmp_path / "history.jsonl", {"epoch": 1, "loss": float("nan"), "heads": {"a": float("inf")}})
    read = json.loads((tmp_path / "history.jsonl").read_text(), parse_constant=strict)
    assert read == {"epoch": 1, "loss": None, "heads": {"a": None}}
    spec = write_tables(tmp_path)
    with (tmp_path / "test.csv").open() as file:
        alike = [line if number == 0 else f"{line.rsplit(',', 1)[0]},1.0\n" for number, line in enumerate(file)]
    (tmp_path / "test.csv").write_text("".join(alike))  # without variance there is no R2
    train(spec, tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(), parse_constant=strict)
    assert metrics["heads"]["size"]["r2"]["value"] is None
