"""One number, or several."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import Component, Kind, option
from zoo_core.heads.layers import Layers


@dataclass(frozen=True, kw_only=True)
class Regressor(Layers):
    """Options of `zoo/regressor`."""

    columns: list[str] | None = option(
        None, "Columns of the numbers, in place of `column`.", min_length=1, columns=True
    )
    loss: Literal["squared", "absolute", "huber"] = option("squared", "Loss on the standardised numbers.")
    standardize: bool = option(True, "Learn the numbers with the mean 0 and deviation 1 of the training rows.")


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
