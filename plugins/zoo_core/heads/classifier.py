"""One label, or several, out of a list of classes."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option
from zoo_core.heads.layers import Layers


@dataclass(frozen=True, kw_only=True)
class Classifier(Layers):
    """Options of `zoo/classifier`."""

    classes: list[str] | None = option(
        None, "Names of the classes, in order; those of the training rows, sorted, unless said.", min_length=2
    )
    multi_label: bool = option(False, "A row may have any number of the classes: its cell is a list.")
    class_weights: Literal["none", "balanced"] = option(
        "none", "`balanced` weighs each class by the inverse of its share of the training rows."
    )
    label_smoothing: float = option(
        0.0, "Share of each label spread over all classes (Szegedy et al. 2016).", ge=0, lt=1
    )

    def __post_init__(self) -> None:
        """Refuses a class that is named twice."""
        twice = sorted({name for name in self.classes or [] if (self.classes or []).count(name) > 1})
        if twice:
            raise ValueError(f"`classes` names `{twice[0]}` twice")


COMPONENT = Component(
    kind=Kind.HEAD,
    name="classifier",
    target="zoo_core.heads.classifier:build",
    options=Classifier,
    provides=frozenset({"export"}),
    needs=frozenset({"pooled"}),
    summary="Classification with cross-entropy, or with one binary cross-entropy per class when there are many labels.",
    source="Goodfellow et al. 2016, chapter 6.2",
)
