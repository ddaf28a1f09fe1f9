"""The layers between the features and a head's output, which every head that reads pooled features has alike."""

from dataclasses import dataclass
from typing import Literal

from zoo.component import option


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Options of the layers of a head."""

    layers: int = option(1, "Linear layers; 1 is a linear model on the features.", ge=1, le=16)
    activation: Literal["gelu", "relu", "silu", "tanh"] = option("gelu", "Nonlinearity between the layers.")
    dropout: float = option(0.0, "Dropout before each layer.", ge=0, lt=1)
