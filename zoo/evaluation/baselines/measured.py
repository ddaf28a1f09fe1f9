"""Plain models learnt from a spec's training rows, and measured beside its model on the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from zoo.contract import Head
from zoo.data.rows import Selection, groups_of
from zoo.evaluation.baselines.features import FROZEN, Pooled, features_told
from zoo.evaluation.baselines.plain import MOST_CLASSES, NEIGHBOURS, Fit, boosted, linear, nearest
from zoo.evaluation.baselines.tables import Design, Rows, joined_designs, number_design, read, text_design, tree_design
from zoo.evaluation.bootstrap import Draws
from zoo.evaluation.constant import constant_outputs
from zoo.evaluation.estimate import Comparison, Estimate
from zoo.evaluation.measure import HeadRows, head_metrics
from zoo.model.model import ZooModel

MOST_ROWS = 20_000
"""Most training rows that plain models learn from."""


@dataclass(frozen=True)
class Baseline:
    """A plain model beside the model.

    Args:
        told: What it is, in words.
        rows: How many training rows it learnt from.
        metrics: The head's `metrics`.
        gain: What the model gains over it in the first of them, positive where the model is better.
        own: Whether it stands on features that the model's own training tuned.
    """

    told: str
    rows: int
    metrics: Mapping[str, Estimate]
    gain: Estimate
    own: bool = False


@dataclass(frozen=True)
class Learnt:
    """A plain model's outputs for the measured rows of a head."""

    told: str
    rows: int
    outputs: Tensor
    own: bool = False


class Tables:
    """Training rows and measured rows as plain models read them.

    Args:
        model: Whose inputs and heads decode the cells.
        training: The training rows.
        measured: The measured rows.
        pooled: Features of training rows, and of the measured rows in their order; None where there are none.
    """

    def __init__(
        self,
        model: ZooModel,
        training: Sequence[Selection],
        measured: Sequence[Selection],
        pooled: tuple[Pooled, Tensor | None],
    ) -> None:
        self.model = model
        kept = _at_most(training, MOST_ROWS)
        self.groups = groups_of(model.spec, kept)
        self.training = read(model, kept, labels=True)
        self.measured = read(model, measured, labels=False)
        self.pooled = pooled
        self.categories = {name: each.value.categories for name, each in model.inputs.items()}

    def learn(self, name: str, rows: HeadRows) -> Iterator[Learnt]:
        """Every plain model of a head that these inputs allow, the constant first."""
        head = self.model.head(name)
        if head.task is None or name not in self.training.labels:
            return
        places, labels = self.training.labels[name]
        targets = head.collate(labels)
        told = {"classes": "majority class", "labels": "frequent labels", "numbers": "mean"}[head.task]
        yield Learnt(told, len(targets), constant_outputs(head.task, targets, rows.width, len(rows.numbers)))
        mine, others = _chosen(self.training, places), _chosen(self.measured, rows.numbers.tolist())
        groups = None if self.groups is None else self.groups[places].tolist()
        line = linear(head.task, rows.width, groups)
        for told, design, fit in self._designs(head, rows.width, mine, others, line):
            yield Learnt(told, len(targets), fit(design.training, targets, design.others))
        yield from self._probes(name, rows)

    def _designs(
        self, head: Head, width: int, mine: Rows, others: Rows, line: Fit
    ) -> Iterator[tuple[str, Design, Fit]]:
        name = "ridge" if head.task == "numbers" else "logistic regression"
        words, numbers = text_design(mine, others), number_design(mine, others, self.categories)
        if words is not None:
            yield f"TF-IDF + {name}", words, line
        if numbers is not None:
            yield f"numbers + {name}", numbers, line
        if words is not None and numbers is not None:
            yield f"TF-IDF and numbers + {name}", joined_designs(words, numbers), line
        trees = tree_design(mine, others)
        if trees is not None and (head.task == "numbers" or width <= MOST_CLASSES):
            yield "gradient boosting", trees, boosted(head.task or "", width)

    def _probes(self, name: str, rows: HeadRows) -> Iterator[Learnt]:
        """A linear model, and the nearest neighbours, on the features of the backbones."""
        from sklearn.preprocessing import StandardScaler

        gathered, others = self.pooled
        training, labelled = gathered.joined(), gathered.labelled(name)
        if training is None or others is None or labelled is None:
            return
        places, targets = labelled
        scaler = StandardScaler().fit(training[places].numpy())
        known, asked = scaler.transform(training[places].numpy()), scaler.transform(others[rows.numbers].numpy())
        task, told = self.model.head(name).task or "", features_told(self.model)
        fits = {
            "linear probe": linear(task, rows.width, None),
            f"{NEIGHBOURS} nearest neighbours": nearest(task, rows.width),
        }
        for kind, fit in fits.items():
            yield Learnt(f"{kind} ({told})", len(targets), fit(known, targets, asked), told != FROZEN)


def beside(head: Head, rows: HeadRows, learnt: Sequence[Learnt], draws: Draws) -> list[Baseline]:
    """How good plain models are, and what the model gains over each, on the same rows.

    Args:
        head: The head.
        rows: Its rows as the model predicts them.
        learnt: The plain models.
        draws: Resamples of the rows.
    """
    versions = {each.told: head.rows(each.outputs.float(), rows.targets) for each in learnt}
    found = head_metrics(head.metrics, [replace(rows, rows=each) for each in versions.values()], draws)
    metric = next(iter(head.metrics.values()))
    compared: dict[Any, Any] = {None: rows.rows, **versions}
    comparison = Comparison(metric, compared, draws)
    sign = 1.0 if metric.higher else -1.0
    return [
        Baseline(each.told, each.rows, metrics, comparison.estimate({None: sign, each.told: -sign}), each.own)
        for each, metrics in zip(learnt, found, strict=True)
    ]


def _at_most(selections: Sequence[Selection], most: int) -> list[Selection]:
    """So many of the rows, drawn at random, always the same."""
    share = min(1.0, most / max(1, sum(len(each.numbers) for each in selections)))
    random = np.random.default_rng(0)
    return [
        replace(each, numbers=np.sort(random.permutation(each.numbers)[: max(1, int(share * len(each.numbers)))]))
        for each in selections
    ]


def _chosen(rows: Rows, places: Sequence[int]) -> Rows:
    texts = {name: [each[place] for place in places] for name, each in rows.texts.items()}
    return Rows(texts, {name: each[list(places)] for name, each in rows.numbers.items()})


def best(baselines: Sequence[Baseline]) -> Baseline:
    """The one that the model gains least over."""
    return min(baselines, key=lambda each: each.gain.value if each.gain.value == each.gain.value else float("inf"))
