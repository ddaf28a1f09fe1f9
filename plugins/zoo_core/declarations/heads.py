"""Heads: what is predicted."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option
from zoo_core.declarations.rules import check_unique


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Options of the layers of a head."""

    layers: int = option(1, "Linear layers; 1 is a linear model on the features.", ge=1, le=16)
    activation: Literal["gelu", "relu", "silu", "tanh"] = option("gelu", "Nonlinearity between the layers.")
    dropout: float = option(0.0, "Dropout before each layer.", ge=0, lt=1)


@dataclass(frozen=True, kw_only=True)
class Classifier(Layers):
    """Options of `zoo/classifier`."""

    classes: list[str] | None = option(
        None, "Names of the classes, in order; those of the training rows, sorted, unless said.", min_length=1
    )
    multi_label: bool = option(False, "A row may have any number of the classes: its cell is a list.")
    class_weights: Literal["none", "balanced"] = option(
        "none",
        "`balanced` weighs each class by the inverse of its share of the training rows; with `multi_label`, the rows "
        "with each class against those without.",
    )
    label_smoothing: float = option(
        0.0, "Share of each label spread over all classes (Szegedy et al. 2016).", ge=0, lt=1
    )

    def __post_init__(self) -> None:
        """Refuses classes that cannot be told apart, and smoothing of labels that are no choice between classes."""
        check_unique("classes", self.classes)
        if len(self.classes or ()) == 1 and not self.multi_label:
            raise ValueError("`classes` names one class; a choice needs two, unless `multi_label` is true")
        if self.multi_label and self.label_smoothing:
            raise ValueError("`label_smoothing` smooths a choice between classes; with `multi_label` there is none")


CLASSIFIER = Component(
    kind=Kind.HEAD,
    name="classifier",
    target="zoo_core.heads.classifier:build",
    fit="zoo_core.heads.classifier:fit",
    options=Classifier,
    provides=frozenset({"export", "mixes", "whole"}),
    needs=frozenset({"pooled"}),
    summary="Classification with cross-entropy, or with one binary cross-entropy per class when there are many labels.",
    source="Goodfellow et al. 2016, chapter 6.2",
)


@dataclass(frozen=True, kw_only=True)
class Regressor(Layers):
    """Options of `zoo/regressor`."""

    columns: list[str] | None = option(
        None, "Columns of the numbers, in place of `column`.", min_length=1, columns=True
    )
    loss: Literal["squared", "absolute", "huber"] = option("squared", "Loss on the standardised numbers.")
    standardize: bool = option(True, "Learn the numbers with the mean 0 and deviation 1 of the training rows.")
    sentiment: bool = option(
        False,
        "The numbers are sentiments from -3 to 3: `zoo eval` tells acc2 (of both kinds), their F1 and acc7 too.",
    )

    def __post_init__(self) -> None:
        """Refuses a column that is named twice, and sentiments of several columns."""
        check_unique("columns", self.columns)
        if self.sentiment and len(self.columns or ()) > 1:
            raise ValueError("`sentiment` is of one number; give each of the columns a head of its own")


REGRESSOR = Component(
    kind=Kind.HEAD,
    name="regressor",
    target="zoo_core.heads.regressor:build",
    fit="zoo_core.heads.regressor:fit",
    options=Regressor,
    provides=frozenset({"export", "mixes", "whole"}),
    needs=frozenset({"pooled"}),
    summary="Regression of one or more numbers.",
    source="Huber 1964 (the `huber` loss)",
)


COMPONENTS = (CLASSIFIER, REGRESSOR)
