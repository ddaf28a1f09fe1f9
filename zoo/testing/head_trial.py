"""How a head is tried: in a model of stand-ins, on rows with and without labels."""

from collections.abc import Mapping
from functools import cached_property
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
from zoo.testing.case import Case
from zoo.testing.stand_ins import SIDE

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
        return self.loss(head, self.targets).sum()

    def loss(self, head: Head, targets: Any) -> Tensor:
        """The loss of the labelled rows with targets of theirs."""
        return head.loss(head(self.reading, targets), targets)

    @property
    def labels(self) -> list[Any]:
        """The labels as the head takes them into `collate`, which gets None where it learns without."""
        head = self.build()
        return [head.label(cell) for cell in self.cells] if self.columns else [None]

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
