"""One training of a cross-validation: it learns from some rows, and is measured on those that it held out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from accelerate import Accelerator
from jaxtyping import Bool

from zoo.data.columns import columns_of
from zoo.data.folds import FoldRows
from zoo.data.open import loader
from zoo.data.rows import Selection, set_aside
from zoo.evaluation.flat import prediction_columns
from zoo.evaluation.measure import HeadRows, Measured, all_subsets, measure_variants, only
from zoo.model.model import ZooModel
from zoo.model.usable import UsableRows
from zoo.spec.sections import Spec
from zoo.training.crossed.outcome import HeadsRows, Outcome
from zoo.training.frozen import FeatureCache, Stored
from zoo.training.progress import Watch
from zoo.training.train import learn_rows

Chosen = Bool[np.ndarray, "rows"]


@dataclass(frozen=True)
class Trial:
    """A training that is to be made.

    Args:
        name: Of its files.
        told: What to call it: "fold 2 of 5".
        spec: What is trained, with the seed of the repeat.
        repeat: From 1.
        fold: From 1.
        learns: `(rows,)` which rows it is given, some of them to choose its epoch by.
        held: `(rows,)` which it holds out.
        measures_learnt: Whether the rows that it learns from are measured too.
    """

    name: str
    told: str
    spec: Spec = field(repr=False)
    repeat: int
    fold: int
    learns: Chosen = field(repr=False)
    held: Chosen = field(repr=False)
    measures_learnt: bool = False


def run_trial(
    trial: Trial,
    rows: FoldRows,
    validation: Sequence[Selection],
    watch: Watch,
    accelerator: Accelerator,
    state: Path | None,
) -> tuple[ZooModel, Outcome]:
    """Trains, and measures the rows held out, which nothing was learnt from and no epoch was chosen by.

    Args:
        trial: What to do.
        rows: All rows.
        validation: Rows of a validation table; else a share is set aside of those that it learns from.
        watch: Hears of every step and epoch.
        accelerator: The devices.
        state: File in which the training saves where it stands; None where it saves nothing.
    """
    started = time.perf_counter()
    given = _selected(rows, trial.learns)
    share = trial.spec.data.validation
    training, aside = set_aside(trial.spec, given, share) if isinstance(share, float) else (given, list(validation))
    held = [replace(each, weight=1.0) for each in _selected(rows, trial.held)]
    opened = UsableRows(tuple(training), tuple(aside), test=tuple(held))
    model, _ = learn_rows(trial.spec, opened, watch, accelerator, state)
    model.to(accelerator.device)
    stored = _stored(model, held, accelerator)
    numbers = torch.as_tensor(trial.held.nonzero()[0])
    names = tuple(model.spec.inputs)
    variants = {subset: partial(only, subset) for subset in all_subsets(names)}
    measured = measure_variants(model, loader(model, held, None, stored), accelerator.device, variants, whole=names)
    learnt = _learnt(model, training, rows, accelerator) if trial.measures_learnt else {}
    predictions = _predictions(model, trial, held, stored, accelerator.device)
    heads = {"+".join(subset): _numbered(each, numbers) for subset, each in measured.items()}
    return model, Outcome(heads, learnt, predictions, int(trial.learns.sum()), time.perf_counter() - started)


def _selected(rows: FoldRows, chosen: Chosen) -> list[Selection]:
    return [replace(each, numbers=each.numbers[positions]) for each, positions in rows.parts(chosen)]


def _stored(model: ZooModel, selections: Sequence[Selection], accelerator: Accelerator) -> Stored | None:
    """Features of frozen backbones, which other folds have computed already."""
    return FeatureCache(model, accelerator).stored(selections, "no") if model.spec.train.cache else None


def _learnt(model: ZooModel, training: Sequence[Selection], rows: FoldRows, accelerator: Accelerator) -> HeadsRows:
    once = [replace(each, weight=1.0) for each in training]
    batches = loader(model, once, None, _stored(model, once, accelerator))
    measured = measure_variants(model, batches, accelerator.device, {"": dict})[""]
    return _numbered(measured, torch.as_tensor(rows.places(once)))


def _numbered(measured: Measured, numbers: torch.Tensor) -> dict[str, HeadRows]:
    return {head: replace(rows, numbers=numbers[rows.numbers]) for head, rows in measured.rows().items()}


def _predictions(
    model: ZooModel, trial: Trial, held: Sequence[Selection], stored: Stored | None, device: torch.device
) -> pa.Table:
    """Of each row held out where it stands, its labels, and what the model says of it."""
    bare = [replace(each, heads=frozenset()) for each in held]
    decoded = []
    model.eval()
    for batch in loader(model, bare, None, stored):
        told = model.predict(batch.to(device))
        decoded += [dict(zip(told, values, strict=True)) for values in zip(*told.values(), strict=True)]
    columns = prediction_columns(model)
    labels = columns_of(model.spec, (), model.spec.heads)
    cells = [row for each in held for _, row in each.cells(_there(each, labels))]
    count = len(decoded)
    arrays = {
        "table": pa.array([_called(each, trial.spec) for each in held for _ in each.numbers], pa.string()),
        "row": pa.array([number for each in held for number in each.numbers.tolist()], pa.int64()),
        "repeat": pa.array([trial.repeat] * count, pa.int64()),
        "fold": pa.array([trial.fold] * count, pa.int64()),
        **{f"true.{name}": _labels([row.get(name) for row in cells]) for name in labels},
        **{each.field.name: each.array(decoded) for each in columns},
    }
    return pa.table(arrays)


def _called(selection: Selection, spec: Spec) -> str:
    """A table's name, without the folder of the spec."""
    path, folder = Path(selection.table.name), spec.folder
    return str(path.relative_to(folder)) if folder.parts and path.is_relative_to(folder) else selection.table.name


def _there(selection: Selection, columns: Sequence[str]) -> list[str]:
    return [each for each in columns if each in selection.table.columns]


def _labels(cells: Sequence[object]) -> pa.Array:
    """Labels as they stand in the table; as texts where they are of several kinds."""
    kinds = {type(each) for each in cells if each is not None}
    if kinds <= {str} or kinds <= {bool} or kinds <= {int, float}:
        return pa.array(cells, {str: pa.string(), bool: pa.bool_()}.get(next(iter(kinds), str), pa.float64()))
    return pa.array([None if each is None else str(each) for each in cells], pa.string())
