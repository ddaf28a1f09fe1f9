"""The layers of a head."""

from torch import nn

from zoo_core.backbones.mlp import ACTIVATIONS
from zoo_core.declarations.heads import Layers


def hidden_layers(options: Layers, width: int) -> nn.Sequential:
    """All before the output layer: hidden layers as wide as the features, and dropout before each and behind the last.

    With `layers: 1` nothing but the dropout before the output layer.

    Args:
        options: How many layers, with which nonlinearity and dropout.
        width: Of the features.
    """
    modules: list[nn.Module] = [nn.Dropout(options.dropout)]
    for _ in range(options.layers - 1):
        modules += [nn.Linear(width, width), ACTIVATIONS[options.activation](), nn.Dropout(options.dropout)]
    return nn.Sequential(*modules)
