"""Classification of rows that have one class each."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor
from torch.nn import functional as F

from zoo.contract import HeadContext, Metric
from zoo_core.declarations.heads import Classifier
from zoo_core.heads.class_scores import ClassScores, rows_learnt
from zoo_core.heads.classes import code_of, single_class_name
from zoo_core.heads.metrics import ACCURACY, BALANCED_ACCURACY, MACRO_F1, MATTHEWS, MICRO_F1, of_class
from zoo_core.heads.score_metrics import AUROC, AVERAGE_PRECISION, BRIER, CALIBRATION, LOG_LOSS
from zoo_core.heads.temperature import temperature_of_choice
from zoo_core.heads.weighing import Rows

MOST_CONFUSED = 200
"""Most classes that have a confusion matrix: its cells are their square."""


class SingleLabel(ClassScores):
    """Softmax over the classes and cross-entropy, with label smoothing (Szegedy et al. 2016).

    With `class_weights: balanced` a class weighs n / (k * count) (King and Zeng 2001), n rows, k classes. These weights
    are 1 on average; the loss is divided by the number of rows, and not by the weights of those that happen to be in
    the batch, as torch does: so the parts of a batch add up to its loss.
    """

    weights: Float[Tensor, "classes"] | None
    task = "classes"
    metrics = {"accuracy": ACCURACY, "macro_f1": MACRO_F1, "balanced_accuracy": BALANCED_ACCURACY}

    def __init__(self, options: Classifier, context: HeadContext) -> None:
        super().__init__(options, context)
        self.label_smoothing = options.label_smoothing
        weights = None
        if options.class_weights == "balanced":
            counts, rows = rows_learnt(context, len(self.classes))
            counts = counts.clamp(min=1)  # a named class may have no training row
            weights = rows / (len(counts) * counts)
        self.register_buffer("weights", weights, persistent=False)

    def loss(self, outputs: Float[Tensor, "batch classes"], targets: Int[Tensor, "batch"]) -> Float[Tensor, ""]:
        """Mean cross-entropy of the rows."""
        smoothing = self.label_smoothing
        return F.cross_entropy(
            outputs, targets, weight=self.weights, label_smoothing=smoothing, reduction="none"
        ).mean()

    def decode(self, outputs: Float[Tensor, "batch classes"]) -> list[Any]:
        """Of each row the likeliest `label`, its `probability`, and the `probabilities` of all classes by name."""
        decoded = []
        for row, code in zip(self.probabilities(outputs).tolist(), outputs.argmax(1).tolist(), strict=True):
            probabilities = dict(zip(self.classes, row, strict=True))
            told = {"label": self.classes[code], "probability": row[code], "probabilities": probabilities}
            decoded.append(told)
        return decoded

    def prediction_type(self) -> Any:
        """One of the classes, and numbers."""
        shares = dict.fromkeys(self.classes, float)
        return {"label": tuple(self.classes), "probability": float, "probabilities": shares}

    def probabilities(self, outputs: Float[Tensor, "batch classes"]) -> Float64[Tensor, "batch classes"]:
        """Of each row how likely it is of each class, calibrated if the head is; they sum to 1."""
        return self.scaled(outputs).softmax(1)

    def fitted_temperature(self, outputs: Float[Tensor, "batch classes"], targets: Int[Tensor, "batch"]) -> float:
        """The temperature with the lowest log loss of these rows.

        Raises:
            ValueError: They do not tell it.
        """
        return temperature_of_choice(outputs, targets)

    def label(self, cell: Any) -> int:
        """The number of the cell's class.

        Raises:
            ValueError: It is no name of a class, or of none that this head has.
        """
        return code_of(single_class_name(cell), self.codes)

    def collate(self, labels: Sequence[int]) -> Int[Tensor, "batch"]:
        """The numbers of the rows' classes."""
        return torch.tensor(labels, dtype=torch.long)

    def example(self, batch: int) -> Int[Tensor, "batch"]:
        """The first class everywhere."""
        return torch.zeros(batch, dtype=torch.long)

    def rows(self, outputs: Float[Tensor, "batch classes"], targets: Int[Tensor, "batch"]) -> Mapping[str, Any]:
        """The numbers of the `true` and the `predicted` class."""
        return {"true": targets, "predicted": outputs.argmax(1)}

    def all_metrics(self) -> Mapping[str, Metric]:
        """Those of the decisions and those of the probabilities."""
        return {
            **self.metrics,
            "micro_f1": MICRO_F1,
            "matthews": MATTHEWS,
            "auroc": AUROC,
            "average_precision": AVERAGE_PRECISION,
            "log_loss": LOG_LOSS,
            "brier": BRIER,
            "calibration_error": CALIBRATION,
        }

    def all_rows(self, outputs: Float[Tensor, "batch classes"], targets: Int[Tensor, "batch"]) -> Mapping[str, Any]:
        """The decisions, and `scores`: the logarithms of the probabilities."""
        return {**self.rows(outputs, targets), "scores": self.scaled(outputs).log_softmax(1)}

    def class_metrics(self) -> Mapping[str, Mapping[str, Metric]]:
        """Precision, recall and F1 of each class."""
        return {name: of_class(code) for name, code in self.codes.items()}

    def confusion(self, rows: Rows) -> Mapping[str, Any] | None:
        """How many rows of each true class (down) each class was predicted (across); None of very many classes."""
        count = len(self.classes)
        if count > MOST_CONFUSED:
            return None
        cells = (rows["true"] * count + rows["predicted"]).bincount(minlength=count * count)
        return {"classes": self.classes, "counts": cells.reshape(count, count).tolist()}
