"""`zoo.evaluate`: a run's quality on data it did not learn from, and what earns it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from zoo.component import Component
from zoo.data.given import with_tables
from zoo.data.open import measured_rows, mixed
from zoo.data.rows import Selection, groups_of
from zoo.errors import UsageError
from zoo.evaluation.audit import PERMUTATIONS, Audit, HeadAudit
from zoo.evaluation.baselines.features import Pooled, training_features
from zoo.evaluation.baselines.measured import Baseline, Tables, beside
from zoo.evaluation.bootstrap import Draws
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.evaluation import Evaluation, Scores
from zoo.evaluation.measure import (
    MOST,
    HeadRows,
    Measured,
    all_subsets,
    exchanged,
    head_metrics,
    measure_subsets,
    measure_variants,
    only,
)
from zoo.evaluation.verdict import verdicts
from zoo.features import Batch, Features
from zoo.model.device import computing
from zoo.model.model import ZooModel
from zoo.model.run import Trained, check_split, learnt_from, model_of
from zoo.model.usable import usable_rows
from zoo.spec.sections import Spec

RESAMPLES = 1000


def evaluate(
    run: ZooModel | Trained | str | Path,
    data: str | Path | None = None,
    *,
    components: Iterable[Component] = (),
    tables: Mapping[str, Any] | None = None,
    baselines: bool = True,
) -> Evaluation:
    """Measures a model on labelled rows, and audits which of its modalities earns what.

    Each number comes with how many rows it stands on and its 95 % interval. The backbones run once on the rows, and on
    at most 2,000 training rows for the baselines; fusion and heads run for every set of modalities.

    Args:
        run: A run folder, what `zoo.train` gave, or a model.
        data: A table; unless given, the spec's test table, or without one the validation rows.
        components: Components that the run was made with and that no installed plugin has, as for `zoo.train`.
        tables: Tables in memory, as for `zoo.train`, by the name that stands behind `memory:` in the spec or in `data`.
        baselines: Whether to learn plain models from the training rows, to measure them beside it.

    Raises:
        UsageError: There is no such run or table, or no row has a label; or the rows that the spec set aside for
            validation are not those that the run set aside, because its table was changed.
    """
    model = model_of(run, components)
    if isinstance(run, (str, Path)):
        model.to(computing())
    spec = with_tables(model.spec, tables, [str(data)])
    chosen = spec.data
    if isinstance(run, (str, Path)) and data is None and chosen.test is None and isinstance(chosen.validation, float):
        check_split(Path(run), spec)
    whole = Whole(model, spec, *measured_rows(model, data, spec))
    if isinstance(run, (str, Path)) and data is not None:
        whole.remarks += learnt_from(Path(run), spec, data)
    if baselines:
        whole.add_baselines(Path(run) if isinstance(run, (str, Path)) else None)
    return whole.evaluation()


def evaluate_rows(
    model: ZooModel,
    split: str,
    batches: Iterable[Batch],
    unusable: int = 0,
    groups: Int[Tensor, "rows"] | None = None,
) -> Evaluation:
    """Measures a model on batches of labelled rows, as a training does in the end: a few metrics of each subset.

    Args:
        model: The model.
        split: What the rows are called.
        batches: The rows.
        unusable: How many rows of the split are not among them, because they cannot be used.
        groups: The number of each row's group, where rows are resampled in groups.
    """
    subsets = all_subsets(tuple(model.spec.inputs))
    measured = measure_subsets(model, batches, _device(model), subsets)
    scores, whole = subset_scores(model, measured, groups), "+".join(model.spec.inputs)
    return Evaluation(split, scores[whole], scores, model.never_absent(), unusable)


def row_groups(spec: Spec, selections: Sequence[Selection]) -> Int[Tensor, "rows"] | None:
    """The number of each row's group; None where the spec, or a table, has no groups."""
    found = groups_of(spec, selections)
    return None if found is None else torch.as_tensor(found)


def subset_scores(
    model: ZooModel, measured: Mapping[tuple[str, ...], Measured], groups: Int[Tensor, "rows"] | None
) -> dict[str, dict[str, dict[str, Estimate]]]:
    """The `metrics` of every head for every set of inputs, from the same resamples."""
    rows = {subset: each.rows() for subset, each in measured.items()}
    scores: dict[str, dict[str, dict[str, Estimate]]] = {"+".join(subset): {} for subset in measured}
    for name in model.heads:
        known = {subset: each[name] for subset, each in rows.items() if name in each and bool(each[name].seen.any())}
        if known:
            draws = _draws(next(iter(known.values())), groups)
            found = head_metrics(model.head(name).metrics, list(known.values()), draws)
            for subset, each in zip(known, found, strict=True):
                scores["+".join(subset)][name] = each
    return scores


class Whole:
    """The whole evaluation of a model on some rows.

    Args:
        model: The model.
        spec: Its spec, perhaps with tables in memory.
        split: What the rows are called.
        selections: The rows.
        unusable: How many rows of the split are not among them, because they cannot be used.
    """

    def __init__(
        self, model: ZooModel, spec: Spec, split: str, selections: Sequence[Selection], unusable: int = 0
    ) -> None:
        self.model, self.spec, self.split, self.selections, self.unusable = model, spec, split, selections, unusable
        self.remarks: list[str] = []
        self.baselines: dict[str, list[Baseline]] = {}
        self.names = tuple(model.spec.inputs)
        self.pooled = Pooled()
        self._present: list[Tensor] = []
        self.groups = self._groups()
        loader, numbers = mixed(model, selections)
        self.order = torch.as_tensor(numbers).argsort()
        generator = torch.Generator().manual_seed(0)
        self.subsets = all_subsets(self.names)
        variants: dict[Any, Any] = {subset: partial(only, subset) for subset in self.subsets}
        for name in self.names:
            for number in range(PERMUTATIONS):
                variants[name, number] = partial(exchanged, name, generator)
        self.measured = measure_variants(
            model, loader, _device(model), variants, whole=self.names, numbers=numbers.tolist(), watch=self._see
        )
        self.rows = self.measured[self.names].rows()

    def add_baselines(self, folder: Path | None) -> None:
        """Learns the plain models.

        Args:
            folder: The run, whose training rows must be what they were; None where there is no folder.
        """
        try:
            training = self._training(folder)
        except UsageError as error:
            self.remarks.append(f"no baselines: {error}")
            return
        features = training_features(self.model, training, _device(self.model))
        others = self.pooled.joined()
        pooled = features, None if others is None else others[self.order]
        tables = Tables(self.model, training, self.selections, pooled)
        for name, rows in self.rows.items():
            learnt = list(tables.learn(name, rows))
            if learnt:
                self.baselines[name] = beside(self.model.head(name), rows, learnt, _draws(rows, self.groups))
            else:
                self.remarks.append(f"no baselines of `{name}`: the head has no `task`, or no training row its label")

    def evaluation(self) -> Evaluation:
        """All of it."""
        scores = subset_scores(self.model, {each: self.measured[each] for each in self.subsets}, self.groups)
        audits = {name: self._audit(name, rows, scores) for name, rows in self.rows.items()}
        heads, classes, confusion = {}, {}, {}
        for name, rows in self.rows.items():
            head = self.model.head(name)
            (heads[name],) = head_metrics(head.all_metrics(), [rows], _draws(rows, self.groups))
            if found := head.class_metrics():
                classes[name] = _of_classes(found, rows, _draws(rows, self.groups))
            if (table := head.confusion(rows.rows)) is not None:
                confusion[name] = table
        for audit in audits.values():
            self.remarks += [f"not measured: {each}" for each in audit.left_out]
        remarks = tuple(dict.fromkeys([*self._subsets_told(), *self.remarks]))
        said = verdicts(audits, self.baselines)
        never = self.model.never_absent()
        return Evaluation(
            self.split, heads, scores, never, self.unusable, classes, confusion, audits, self.baselines, said, remarks
        )

    def _audit(self, name: str, rows: HeadRows, scores: Mapping[str, Scores]) -> HeadAudit:
        head = self.model.head(name)
        subsets = {each: self.measured[each].rows()[name] for each in self.subsets}
        permuted = {each: [self.measured[each, k].rows()[name] for k in range(PERMUTATIONS)] for each in self.names}
        present = torch.cat(self._present)[self.order][rows.numbers]
        first = next(iter(head.metrics))
        none = Estimate(float("nan"), 0, reason="no row has any of these")
        values = {each: scores["+".join(each)].get(name, {first: none})[first] for each in self.subsets}
        return Audit(head, subsets, permuted, present, values, _draws(rows, self.groups)).found()

    def _see(self, batch: Batch, features: Mapping[str, Features]) -> None:
        self.pooled.add(batch, features)
        self._present.append(torch.stack([features[name].present.cpu() for name in self.names], 1))

    def _groups(self) -> Tensor | None:
        column = self.spec.evaluate.groups
        found = row_groups(self.spec, self.selections)
        if column is not None and found is None:
            self.remarks.append(f"the rows have no column `{column}`: intervals count each row as independent")
        if found is not None:
            count = len(set(found.tolist()))
            self.remarks.append(f"intervals count the {count} groups of `{column}` as independent, and not their rows")
        return found

    def _training(self, folder: Path | None) -> Sequence[Selection]:
        if folder is not None and isinstance(self.spec.data.validation, float):
            check_split(folder, self.spec)
        return usable_rows(self.spec).training

    def _subsets_told(self) -> list[str]:
        if len(self.names) <= MOST:
            return []
        told = f"of more than {MOST} inputs each alone, all but each, and all are measured: {len(self.subsets)} sets"
        return [f"{told} of {2 ** len(self.names) - 1}"]


def _of_classes(metrics: Mapping[str, Any], rows: HeadRows, draws: Draws) -> dict[str, dict[str, Estimate]]:
    flat = {(name, key): metric for name, each in metrics.items() for key, metric in each.items()}
    (found,) = head_metrics(flat, [rows], draws)
    return {name: {key: found[name, key] for key in each} for name, each in metrics.items()}


def _draws(rows: HeadRows, groups: Int[Tensor, "rows"] | None) -> Draws:
    return Draws(len(rows.seen), RESAMPLES, None if groups is None else groups[rows.numbers])


def _device(model: ZooModel) -> torch.device:
    return next(model.parameters()).device
