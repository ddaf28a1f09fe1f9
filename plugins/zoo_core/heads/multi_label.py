"""Classification of rows that have any number of labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional as F

from zoo.contract import HeadContext, Metric
from zoo_core.declarations.heads import Classifier
from zoo_core.heads.class_scores import ClassScores, rows_learnt
from zoo_core.heads.classes import class_names, code_of
from zoo_core.heads.metrics import EXACT_MATCH, HAMMING, MACRO_F1_OF_LABELS, MICRO_F1_OF_LABELS, of_label
from zoo_core.heads.score_metrics import AUROC_OF_LABELS, MEAN_AVERAGE_PRECISION
from zoo_core.heads.temperature import temperature_of_labels


class MultiLabel(ClassScores):
    """A sigmoid and a binary cross-entropy for each label.

    With `class_weights: balanced` a label's rows weigh (n - count) / count, so that together they weigh as much as
    those without it.
    """

    weights: Float[Tensor, "classes"] | None
    task = "labels"
    metrics = {"macro_f1": MACRO_F1_OF_LABELS, "micro_f1": MICRO_F1_OF_LABELS, "exact_match": EXACT_MATCH}

    def __init__(self, options: Classifier, context: HeadContext) -> None:
        super().__init__(options, context)
        weights = None
        if options.class_weights == "balanced":
            counts, rows = rows_learnt(context, len(self.classes))
            weights = (rows - counts).clamp(min=1) / counts.clamp(min=1)
        self.register_buffer("weights", weights, persistent=False)

    def loss(
        self, outputs: Float[Tensor, "batch classes"], targets: Float[Tensor, "batch classes"]
    ) -> Float[Tensor, ""]:
        """Mean binary cross-entropy of the rows and labels."""
        return F.binary_cross_entropy_with_logits(outputs, targets, pos_weight=self.weights)

    def decode(self, outputs: Float[Tensor, "batch classes"]) -> list[Any]:
        """Of each row the `labels` that are likelier than not, and the `probabilities` of all by name."""
        decoded = []
        for row, chosen in zip(self.probabilities(outputs).tolist(), (outputs > 0).tolist(), strict=True):
            labels = [name for name, there in zip(self.classes, chosen, strict=True) if there]
            decoded.append({"labels": labels, "probabilities": dict(zip(self.classes, row, strict=True))})
        return decoded

    def prediction_type(self) -> Any:
        """A list of labels, and numbers."""
        return {"labels": [str], "probabilities": dict.fromkeys(self.classes, float)}

    def probabilities(self, outputs: Float[Tensor, "batch classes"]) -> Float64[Tensor, "batch classes"]:
        """Of each row how likely it has each label, calibrated if the head is."""
        return self.scaled(outputs).sigmoid()

    def fitted_temperature(
        self, outputs: Float[Tensor, "batch classes"], targets: Float[Tensor, "batch classes"]
    ) -> float:
        """The temperature with the lowest log loss of all labels of these rows, one for all of them.

        Raises:
            ValueError: They do not tell it.
        """
        return temperature_of_labels(outputs, targets.bool())

    def label(self, cell: Any) -> list[int]:
        """The numbers of the cell's classes.

        Raises:
            ValueError: It is no list of names of classes that this head has.
        """
        return [code_of(name, self.codes) for name in class_names(cell)]

    def collate(self, labels: Sequence[Sequence[int]]) -> Float[Tensor, "batch classes"]:
        """1 where a row has a label, else 0."""
        targets = torch.zeros(len(labels), len(self.classes))
        for row, codes in enumerate(labels):
            targets[row, list(codes)] = 1
        return targets

    def example(self, batch: int) -> Float[Tensor, "batch classes"]:
        """No label anywhere."""
        return torch.zeros(batch, len(self.classes))

    def rows(
        self, outputs: Float[Tensor, "batch classes"], targets: Float[Tensor, "batch classes"]
    ) -> Mapping[str, Any]:
        """Which labels are `true` and which are `predicted`, `(batch, classes)` each."""
        return {"true": targets.bool(), "predicted": outputs > 0}

    def all_metrics(self) -> Mapping[str, Metric]:
        """Those of the decisions and those of the order of the probabilities."""
        further = {"hamming": HAMMING, "auroc": AUROC_OF_LABELS, "mean_average_precision": MEAN_AVERAGE_PRECISION}
        return {**self.metrics, **further}

    def all_rows(
        self, outputs: Float[Tensor, "batch classes"], targets: Float[Tensor, "batch classes"]
    ) -> Mapping[str, Any]:
        """The decisions, and `scores`: the logits, calibrated if the head is."""
        return {**self.rows(outputs, targets), "scores": self.scaled(outputs)}

    def class_metrics(self) -> Mapping[str, Mapping[str, Metric]]:
        """Precision, recall and F1 of each label."""
        return {name: of_label(code) for name, code in self.codes.items()}
