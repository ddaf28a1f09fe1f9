"""A small table that a model of vectors learns in a moment, and a spec for it."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SPEC = """\
inputs:
  left: {type: vector, columns: [a, b], backbone: {use: zoo/mlp, width: 16, layers: 1, dropout: 0}}
  right: {type: vector, columns: [c], backbone: {use: zoo/mlp, width: 16, layers: 1, dropout: 0}}
fusion: {use: zoo/concat, dim: 16}
heads:
  kind: zoo/classifier
  size: zoo/regressor
data: {train: train.csv, validation: 0.25, test: test.csv}
train: {epochs: 4, batch_size: 16, learning_rate: 0.02}
"""


def write_tables(folder: Path, spec: str = SPEC) -> Path:
    """Writes `train.csv`, `test.csv` and `spec.yaml`; gives the spec's path.

    `kind` is told by `a` and, less surely, by `c`; `size` is a line in `b` and `c`. Some cells are empty.
    """
    random = np.random.default_rng(0)
    for name, rows in (("train.csv", 96), ("test.csv", 40)):
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["a", "b", "c", "kind", "size"])
            for row in range(rows):
                kind = int(random.integers(2))
                a, b, c = random.normal(4 * kind), random.normal(), random.normal(2 * kind)
                size = 3 * b - c + 0.1 * random.normal()
                gone = row % 10 == 3
                cells = ["" if gone else f"{a:.4f}", "" if gone else f"{b:.4f}", f"{c:.4f}"]
                writer.writerow([*cells, ["low", "high"][kind], "" if row % 7 == 5 else f"{size:.4f}"])
    path = folder / "spec.yaml"
    path.write_text(spec)
    return path


def approximately(value: Any) -> Any:
    """A tree of numbers that equals one whose numbers differ by rounding: rows came in other batches."""
    if isinstance(value, dict):
        return {key: approximately(each) for key, each in value.items()}
    return pytest.approx(value, rel=1e-4, abs=1e-4) if isinstance(value, float) else value
