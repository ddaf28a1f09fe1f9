"""One number, or several."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option


@dataclass(frozen=True, kw_only=True)
class Regressor:
    """Options of `zoo/regressor`."""

    columns: list[str] | None = option(
        None, "Columns of the numbers, in place of `column`.", min_length=1, columns=True
    )
    loss: Literal["squared", "absolute", "huber"] = option("squared", "Loss on the standardised numbers.")
    standardize: bool = option(True, "Learn the numbers with the mean 0 and deviation 1 of the training rows.")
    layers: int = option(1, "Linear layers; 1 is a linear regression.", ge=1, le=16)
    activation: Literal["gelu", "relu", "silu", "tanh"] = option("gelu", "Nonlinearity between the layers.")
    dropout: float = option(0.0, "Dropout before each layer.", ge=0, lt=1)


COMPONENT = Component(
    kind=Kind.HEAD,
    name="regressor",
    target="zoo_core.heads.regressor:build",
    options=Regressor,
    provides=frozenset({"export"}),
    needs=frozenset({"pooled"}),
    summary="Regression of one or more numbers.",
    source="Huber 1964 (the `huber` loss)",
)
