"""How good decisions between classes are."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from zoo.contract import Metric
from zoo_core.heads.weighing import Bound, Rows, Weights, mean_of, share_of, sums, weighed

Counts = tuple[Float64[Tensor, "classes _"], Float64[Tensor, "classes _"], Float64[Tensor, "classes _"]]
"""Of each class and resample, how many rows are recognised, how many have it, and of how many it is predicted."""


def _right(rows: Rows) -> tuple[Bool[Tensor, "rows"], Bool[Tensor, "rows"]]:
    right = rows["predicted"] == rows["true"]
    return right, torch.ones_like(right)


def _all_right(rows: Rows) -> tuple[Bool[Tensor, "rows"], Bool[Tensor, "rows"]]:
    right = (rows["predicted"] == rows["true"]).all(1)
    return right, torch.ones_like(right)


def _counted(rows: Rows) -> Callable[[Weights], Counts]:
    """From weights to the counts of the classes that occur.

    Rows of the same true and predicted class are added up first: they are many, and the pairs of classes few.
    """
    true, predicted = rows["true"], rows["predicted"]
    names, codes = torch.unique(torch.cat([true, predicted]), return_inverse=True)
    classes = len(names)
    pairs, cells = torch.unique(codes[: len(true)] * classes + codes[len(true) :], return_inverse=True)
    own, other = pairs // classes, pairs % classes

    def counts(weights: Weights) -> Counts:
        table = sums(weights, cells, len(pairs))
        return (
            sums(table * (own == other)[:, None], own, classes),
            sums(table, own, classes),
            sums(table, other, classes),
        )

    return counts


def _balanced_accuracy(rows: Rows) -> Bound:
    counted = _counted(rows)

    def values(weights: Weights) -> Float64[Tensor, "_"]:
        hits, actual, _ = counted(weights)
        return (hits / actual).nanmean(0)

    return values


def _macro_f1(rows: Rows) -> Bound:
    counted = _counted(rows)
    return lambda weights: _f1(*counted(weights)).nanmean(0)


def _matthews(rows: Rows) -> Bound:
    counted = _counted(rows)

    def values(weights: Weights) -> Float64[Tensor, "_"]:
        hits, actual, told = counted(weights)
        total = weights.sum(0)
        spread = (total**2 - (actual**2).sum(0)) * (total**2 - (told**2).sum(0))
        both = total * hits.sum(0) - (actual * told).sum(0)
        return torch.where(spread > 0, both / spread.sqrt(), torch.nan)

    return values


def _counts_of_labels(rows: Rows) -> tuple[Float64[Tensor, "labels rows"], ...]:
    true, predicted = rows["true"], rows["predicted"]
    return (true & predicted).T.double(), true.T.double(), predicted.T.double()


def _macro_f1_of_labels(rows: Rows) -> Bound:
    counts = _counts_of_labels(rows)
    return lambda weights: _f1(*(each @ weights for each in counts)).nanmean(0)


def _micro_f1_of_labels(rows: Rows) -> Bound:
    counts = [each.sum(0) for each in _counts_of_labels(rows)]
    return lambda weights: _f1(*(each @ weights for each in counts))


def _f1(hits: Tensor, actual: Tensor, predicted: Tensor) -> Tensor:
    return 2 * hits / (actual + predicted)


def _wrong_decisions(rows: Rows) -> Float64[Tensor, "rows"]:
    wrong: Tensor = rows["predicted"] != rows["true"]
    return wrong.double().mean(1)


ACCURACY = share_of(_right, doc="Share of the rows whose class is recognised.")
MACRO_F1 = weighed(_macro_f1, doc="Mean F1 of the classes, rare ones counting like frequent ones.")
BALANCED_ACCURACY = weighed(_balanced_accuracy, doc="Mean recall of the classes that occur (Brodersen et al. 2010).")
MICRO_F1 = share_of(_right, doc="F1 over all decisions; where each row has one class it is the accuracy.")
MATTHEWS = weighed(
    _matthews,
    doc="Matthews correlation of true and predicted classes (Gorodkin 2004); 0 is chance, 1 is perfect.",
    undefined="only one class is true, or only one is predicted",
)

EXACT_MATCH = share_of(_all_right, doc="Share of the rows whose labels are all right (subset accuracy).")
MACRO_F1_OF_LABELS = weighed(
    _macro_f1_of_labels,
    doc="Mean F1 of the labels, rare ones counting like frequent ones.",
    undefined="no label is true or predicted in any row",
)
MICRO_F1_OF_LABELS = weighed(
    _micro_f1_of_labels,
    doc="F1 over all decisions of all labels.",
    undefined="no label is true or predicted in any row",
)
HAMMING = mean_of(_wrong_decisions, higher=False, doc="Share of wrong decisions about labels (Hamming loss).")


def of_class(number: int) -> dict[str, Metric]:
    """Precision, recall and F1 of one class of several."""
    return _of(lambda rows: (rows["true"] == number, rows["predicted"] == number))


def of_label(number: int) -> dict[str, Metric]:
    """Precision, recall and F1 of one label of any number."""
    return _of(lambda rows: (rows["true"][:, number], rows["predicted"][:, number]))


def _of(decisions: Callable[[Rows], tuple[Tensor, Tensor]]) -> dict[str, Metric]:
    def precision(rows: Rows) -> tuple[Tensor, Tensor]:
        true, predicted = decisions(rows)
        return true & predicted, predicted

    def recall(rows: Rows) -> tuple[Tensor, Tensor]:
        true, predicted = decisions(rows)
        return true & predicted, true

    def overlap(rows: Rows) -> tuple[Tensor, Tensor]:
        true, predicted = decisions(rows)
        return true & predicted, true | predicted

    return {
        "precision": share_of(precision, doc="Share of its predictions that are right.", undefined="never predicted"),
        "recall": share_of(recall, doc="Share of its rows that are recognised.", undefined="no row has it"),
        "f1": share_of(
            overlap,
            doc="Harmonic mean of precision and recall.",
            undefined="no row has it, and it is never predicted",
            of_share=lambda jaccard: 2 * jaccard / (1 + jaccard),
        ),
    }
