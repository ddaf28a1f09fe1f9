"""`zoo.evaluate`: a run's quality on data it did not learn from, for every set of its modalities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.component import Component
from zoo.data.given import with_tables
from zoo.data.open import labelled
from zoo.evaluation.bootstrap import Estimate
from zoo.evaluation.measure import all_subsets, measure_subsets
from zoo.features import Batch
from zoo.model.model import ZooModel, untaught
from zoo.model.run import Trained, check_split, model_of

RESAMPLES = 1000

Scores = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a model is.

    Args:
        split: What it was measured on: `test`, the spec's test table; `validation`, rows that chose the epoch; or the
            path of a table.
        heads: Each head's metrics, with all modalities.
        subsets: The same for every non-empty set of modalities, by their names joined with `+`, single ones first.
        never_absent: Modalities that no training row lacked: without them the model does what nobody taught it.
        unusable: Rows of the split that cannot be used and stand in no number (`data.on_error: skip`).
    """

    split: str
    heads: Scores
    subsets: Mapping[str, Scores]
    never_absent: tuple[str, ...] = ()
    unusable: int = 0

    def __repr__(self) -> str:
        """The whole model's metrics, then those of every set of its modalities, a line for each head."""
        lines = [f"measured on {self.split}"]
        for subset, scores in reversed(list(self.subsets.items())):
            for head, found in scores.items():
                told = ", ".join(f"{metric} {estimate}" for metric, estimate in found.items())
                lines.append(f"  {subset}: {head}: {told}")
        if self.unusable:
            lines.append(left_out(self.split, self.unusable))
        if self.never_absent:
            lines.append(untaught(self.never_absent))
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo eval`."""
        subsets = {name: _plain(scores) for name, scores in self.subsets.items()}
        never = list(self.never_absent)
        return {
            "split": self.split,
            "unusable": self.unusable,
            "heads": _plain(self.heads),
            "subsets": subsets,
            "never_absent": never,
        }


def left_out(split: str, unusable: int) -> str:
    """A remark on the rows that stand in no number."""
    rows = "row cannot be used and stands" if unusable == 1 else "rows cannot be used and stand"
    return f"{unusable:,} {rows} in no number on {split}; `zoo data check` tells which"


def evaluate(
    run: ZooModel | Trained | str | Path,
    data: str | Path | None = None,
    *,
    components: Iterable[Component] = (),
    tables: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Measures a model on labelled rows, with all its modalities and with every set of them alone.

    Each number comes with how many rows it stands on and its 95 % interval.

    Args:
        run: A run folder, what `zoo.train` gave, or a model.
        data: A table; unless given, the spec's test table, or without one the validation rows.
        components: Components that the run was made with and that no installed plugin has, as for `zoo.train`.
        tables: Tables in memory, as for `zoo.train`, by the name that stands behind `memory:` in the spec or in `data`.

    Raises:
        UsageError: There is no such run or table, or no row has a label; or the rows that the spec set aside for
            validation are not those that the run set aside, because its table was changed.
    """
    model = model_of(run, components)
    spec = with_tables(model.spec, tables, [str(data)])
    chosen = spec.data
    if isinstance(run, (str, Path)) and data is None and chosen.test is None and isinstance(chosen.validation, float):
        check_split(Path(run), spec)
    return evaluate_rows(model, *labelled(model, data, spec))


def evaluate_rows(model: ZooModel, split: str, batches: Iterable[Batch], unusable: int = 0) -> Evaluation:
    """Measures a model on batches of labelled rows.

    Args:
        model: The model.
        split: What the rows are called.
        batches: The rows.
        unusable: How many rows of the split are not among them, because they cannot be used.
    """
    subsets = all_subsets(tuple(model.spec.inputs))
    device = next(model.parameters()).device
    measured = measure_subsets(model, batches, device, subsets)
    scores = {"+".join(subset): found.metrics(RESAMPLES) for subset, found in measured.items()}
    return Evaluation(split, scores["+".join(model.spec.inputs)], scores, model.never_absent(), unusable)


def _plain(scores: Scores) -> dict[str, Any]:
    return {head: {name: each.as_dict() for name, each in found.items()} for head, found in scores.items()}
