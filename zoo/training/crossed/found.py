"""What a cross-validation found, in Python and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoo.evaluation.estimate import Estimate
from zoo.evaluation.evaluation import Scores
from zoo.training.crossed.against import Against
from zoo.training.crossed.curve import LearningCurve
from zoo.training.crossed.pooled import OverFolds


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """How good a spec is, measured on all of its training rows.

    Args:
        name: The spec's name.
        folds: How many folds there are.
        repeats: How often the rows were divided anew.
        rows: How many rows there are.
        unusable: How many more cannot be used (`data.on_error: skip`).
        heads: Each head's metrics with all modalities, of all rows together.
        over_folds: The same, fold by fold.
        subsets: The first of them for every set of modalities, of all rows together.
        predictions: Of each row and repeat, what the model said that did not learn from it.
        against: The comparison with another spec.
        learning_curve: What fewer and more rows do.
        remarks: What else should be known.
        folder: Where it is kept; None where it is not.
    """

    name: str
    folds: int
    repeats: int
    rows: int
    unusable: int
    heads: Scores
    over_folds: Mapping[str, Mapping[str, OverFolds]]
    subsets: Mapping[str, Scores]
    predictions: pa.Table = field(repr=False)
    against: Against | None = None
    learning_curve: LearningCurve | None = None
    remarks: Sequence[str] = ()
    folder: Path | None = None

    def __repr__(self) -> str:
        """The metrics of all rows together, and the verdicts."""
        lines = [f"{self.name}: {self.folds} folds, {self.repeats} time{'s' * (self.repeats > 1)}, {self.rows:,} rows"]
        for head, found in self.heads.items():
            lines += [f"  {head}: {metric} {each}" for metric, each in found.items()]
        return "\n".join([*lines, *(f"  {each}" for each in self.verdict)])

    @property
    def verdict(self) -> list[str]:
        """What there is to say in words."""
        told = [self.against.text] if self.against is not None else []
        return [*told, *(self.learning_curve.verdict if self.learning_curve is not None else ())]

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo cv`."""
        heads = {
            head: {
                name: each.as_dict() | {"folds": self.over_folds[head][name].as_dict()} for name, each in told.items()
            }
            for head, told in self.heads.items()
        }
        subsets = {subset: {head: _plain(told) for head, told in each.items()} for subset, each in self.subsets.items()}
        return {
            "name": self.name,
            "folds": self.folds,
            "repeats": self.repeats,
            "rows": self.rows,
            "unusable": self.unusable,
            "heads": heads,
            "subsets": subsets,
            "against": self.against.as_dict() if self.against is not None else None,
            "learning_curve": self.learning_curve.as_dict() if self.learning_curve is not None else None,
            "remarks": list(self.remarks),
        }


def _plain(told: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: each.as_dict() for name, each in told.items()}
