"""`zoo.evaluate`: a run's quality on data it did not learn from, for every set of its modalities."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.data.loader import Loader
from zoo.data.open import labelled
from zoo.evaluation.bootstrap import Estimate
from zoo.evaluation.measure import all_subsets, measure_subsets
from zoo.errors import UsageError
from zoo.model.model import ZooModel
from zoo.model.run import read_run

RESAMPLES = 1000

Scores = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class Evaluation:
    """How good a model is.

    Args:
        split: What it was measured on: the path of the table, or `validation`.
        heads: Each head's metrics, with all modalities.
        subsets: The same for every non-empty set of modalities, by their names joined with `+`, single ones first.
    """

    split: str
    heads: Scores
    subsets: Mapping[str, Scores]

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo eval`."""
        subsets = {name: _plain(scores) for name, scores in self.subsets.items()}
        return {"split": self.split, "heads": _plain(self.heads), "subsets": subsets}


def evaluate(run: ZooModel | str | Path, data: str | Path | None = None) -> Evaluation:
    """Measures a model on labelled rows: each metric with how many rows and its 95 % interval, and what it is worth
    with each set of its modalities alone.

    Args:
        run: A run folder, or a model.
        data: A table; the spec's test table unless given, or, without one, its validation rows.

    Raises:
        UsageError: There is no such run or table, or no row has a label.
    """
    model = run if isinstance(run, ZooModel) else read_run(Path(run))
    split, loader = labelled(model, data)
    return evaluate_rows(model, split, loader, torch.device("cpu"))
