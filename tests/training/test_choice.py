"""Which epoch is kept, and when a training stops looking for a better one."""

from math import nan
from pathlib import Path
from typing import Any

import pytest

from tests.tables import write_tables
from zoo.errors import UsageError
from zoo.model.build import build
from zoo.spec.load import load_spec
from zoo.training.choice import Choice, make_choice
from zoo.training.train import train


class Loss:
    """What was measured, of which the loss alone is looked at."""

    def __init__(self, loss: float) -> None:
        self.loss = loss


def kept(*losses: float, patience: int | None = None) -> list[bool]:
    """Which of the epochs were better than all before them, until patience ended."""
    choice, found = Choice("loss", False, patience), []
    for loss in losses:
        measured: Any = Loss(loss)
        found.append(choice.better(measured))
        if choice.over:
            break
    return found


def test_the_lowest_is_kept_and_the_first_of_equals() -> None:
    assert kept(3, 2, 2, 2.5, 1) == [True, True, False, False, True]


def test_nan_is_worse_than_any_number() -> None:
    assert kept(nan, nan, 3, nan, 2) == [True, False, True, False, True]


def test_patience_ends() -> None:
    assert kept(3, 4, 4, 2, patience=2) == [True, False, False]
    assert kept(3, 4, 2, 4, 4, 1, patience=2) == [True, False, True, False, False]


def test_a_metric_chooses(tmp_path: Path) -> None:
    spec = load_spec(write_tables(tmp_path), overrides=["train.select=kind.accuracy", "train.patience=1"])
    run = train(spec)
    told = [record["validation"]["heads"]["kind"]["accuracy"] for record in run.history]
    best = [record["epoch"] for record in run.history if record.get("best")][-1]
    assert told[best - 1] == max(told)
    assert len(told) <= best + 1


def test_a_metric_that_a_head_lacks_is_told(tmp_path: Path) -> None:
    model = build(load_spec(write_tables(tmp_path), overrides=["train.select=kind.acuracy"]))
    with pytest.raises(UsageError, match="the head `kind` has no metric `acuracy`; did you mean `accuracy`"):
        make_choice(model)
