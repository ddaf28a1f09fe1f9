"""What holds for heads."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.component import FeatureSpec
from zoo.contract import Backbone, Head, HeadContext, ValueSpec
from zoo.data.columns import part_columns
from zoo.data.loader import Loader
from zoo.data.memory import Samples
from zoo.data.rows import Selection
from zoo.features import Batch, Reading
from zoo.model.assemble import assemble
from zoo.model.model import ZooModel
from zoo.model.parts import backbone_maker
from zoo.spec.sections import Backbone as Section
from zoo.testing import modules
from zoo.testing.case import Case, refusal
from zoo.testing.compare import CLOSE, differences, rows_of
from zoo.testing.stand_ins import SIDE

PLAIN = (bool, int, float, str, type(None))
ROWS = 4
"""Rows to predict where a head needs no labels."""


class HeadTrial:
    """A head in a model of stand-ins, and labelled rows.

    Args:
        case: The head and its options; its samples are cells of labels, of several columns mappings by column.
    """

    def __init__(self, case: Case) -> None:
        self.case, self.unused = case, case.unused
        self.columns = part_columns(case.spec.heads["tested"])
        if self.columns and case.samples is None:
            raise ValueError("give cells of labels as `samples`, as they stand in a table")
        self.cells = list(case.samples or [])

    def build(self, seed: int = 0) -> Head:
        """A new one, from a seed."""
        return self._model(seed).head("tested")

    def outputs(self, head: Head) -> Any:
        """Outputs for the labelled rows."""
        return head(self.reading, self.targets)

    def objective(self, head: Head) -> Tensor:
        """The loss."""
        return head.loss(self.outputs(head), self.targets)

    @property
    def targets(self) -> Any:
        """The labels as the head collates them."""
        return self.batch.targets["tested"].value

    @cached_property
    def batch(self) -> Batch:
        """The labelled rows."""
        return self._batch(frozenset({"tested"}))

    @cached_property
    def reading(self) -> Reading:
        """What the head reads of them."""
        return self._read(self.batch)

    @cached_property
    def unlabelled(self) -> Reading:
        """What the head reads of the same rows without labels."""
        return self._read(self._batch(frozenset()))

    def _batch(self, heads: frozenset[str]) -> Batch:
        rows = Selection(Samples(self._rows), np.arange(len(self._rows)), heads)
        (batch,) = Loader(self._model(0), [rows], batch_size=len(self._rows))
        return batch

    @property
    def _rows(self) -> list[dict[str, Any]]:
        """Rows of a table: a picture, and the label's cells."""
        generator = torch.Generator().manual_seed(0)
        cells = self.cells or [None] * ROWS
        return [{"sample": torch.randn(3, SIDE, SIDE, generator=generator), **self._labels(cell)} for cell in cells]

    def _labels(self, cell: Any) -> Mapping[str, Any]:
        if not self.columns:
            return {}
        return cell if len(self.columns) > 1 else {self.columns[0]: cell}

    def _read(self, batch: Batch) -> Reading:
        model = self._model(0).eval()
        backbones = {"sample": model.backbone("sample")}
        with torch.no_grad():
            features = model.features(batch.inputs)
            views = tuple(model.features(view) for view in batch.views.get("tested", ()))
        return Reading(features["sample"], features, batch, views, backbones)

    def _model(self, seed: int) -> ZooModel:
        def make(section: Section, place: str, part: str, value: ValueSpec) -> Backbone:
            return backbone_maker(section, place, value, None, {}, seed)()

        return assemble(self.case.seeded(seed), {"heads": {"tested": self._learnt}}, make)

    @cached_property
    def _learnt(self) -> Mapping[str, Any]:
        unknown = FeatureSpec(dim=0, pooled_dim=0)
        context = HeadContext(name="tested", features=unknown, columns=self.columns)
        return self.case.fitted(context, self.cells)


def loss_is_one_finite_number(trial: HeadTrial) -> Iterator[str]:
    """The loss of labelled rows is a number, in training and in eval."""
    head = trial.build()
    for mode in (True, False):
        loss = trial.objective(head.train(mode))
        if loss.ndim:
            yield f"the loss has the shape {list(loss.shape)}; expected one number"
        elif not bool(loss.isfinite()):
            yield f"the loss is {float(loss.detach())}"


def predictions_are_plain(trial: HeadTrial) -> Iterator[str]:
    """Without labels there is one prediction for each row, of plain Python."""
    head = trial.build().eval()
    with torch.no_grad():
        told = head.decode(head(trial.unlabelled))
    if len(told) != len(trial.unlabelled.batch):
        yield f"`decode` gives {len(told)} predictions for {len(trial.unlabelled.batch)} rows"
    for kind in dict.fromkeys(kind for each in told for kind in _strange(each)):
        yield f"`decode` gives a {kind}, which is no plain Python"


def wrong_labels_are_refused(trial: HeadTrial) -> Iterator[str]:
    """What is no label is refused with a ValueError, to which zoo adds file, row and column."""
    if trial.columns:
        wrong = object() if len(trial.columns) == 1 else dict.fromkeys(trial.columns, object())
        yield from refusal(trial.build().label, wrong, "`label`")


def metrics_are_numbers(trial: HeadTrial) -> Iterator[str]:
    """A head with labels has metrics; each gives a number for all rows, and for rows drawn again and again."""
    head = trial.build().eval()
    if trial.columns and not head.metrics:
        yield "it has no metrics"
    if not head.metrics:
        return
    with torch.no_grad():
        rows = head.rows(trial.outputs(head), trial.targets)
    for name, each in rows.items():
        if len(each) != len(trial.batch):
            yield f"`rows` has {len(each)} entries of `{name}` for {len(trial.batch)} rows"
            return
    for name, metric in head.metrics.items():
        for index in (list(range(len(trial.batch))), [0] * len(trial.batch)):
            value = metric.compute({key: _chosen(each, index) for key, each in rows.items()})
            if not isinstance(value, float) or (index[-1] and not isfinite(value)):
                yield f"the metric `{name}` is {value!r}; expected a float"
        if not metric.doc:
            yield f"the metric `{name}` has no `doc`"


def rows_do_not_depend_on_each_other(trial: HeadTrial) -> Iterator[str]:
    """Without labels, a row alone has the outputs that it has among others, but for rounding."""
    head = trial.build().eval()
    with torch.no_grad():
        together = head(trial.unlabelled)
        for row in range(len(trial.unlabelled.batch)):
            alone = head(trial.unlabelled.rows(torch.tensor([row])))
            for difference in differences(rows_of(together, row), rows_of(alone, 0), CLOSE):
                yield f"alone, row {row} has other outputs than among others: {difference}"


LAWS = (
    *modules.LAWS,
    loss_is_one_finite_number,
    predictions_are_plain,
    wrong_labels_are_refused,
    metrics_are_numbers,
    rows_do_not_depend_on_each_other,
)


def _strange(value: Any) -> Iterator[str]:
    """Names of the types in a prediction that are no plain Python."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from (_strange(each) if isinstance(key, str) else [type(key).__name__])
    elif isinstance(value, list):
        for each in value:
            yield from _strange(each)
    elif type(value) not in PLAIN:
        yield type(value).__name__


def _chosen(values: Any, index: Sequence[int]) -> Any:
    return values[list(index)] if isinstance(values, Tensor) else [values[row] for row in index]
