"""Fusions: the features of several inputs become one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from zoo.component import FeatureSpec
from zoo.features import Features


@dataclass(frozen=True, kw_only=True)
class FusionContext:
    """What a fusion is built from, beside its options.

    Args:
        inputs: Shapes of what each input's backbone gives, in the order of the spec.
    """

    inputs: Mapping[str, FeatureSpec]


class Fusion(nn.Module, ABC):
    """A network from the features of each input to one. Set `features` in `__init__`."""

    features: FeatureSpec
    """Shapes of what it gives."""

    @abstractmethod
    def forward(self, inputs: Mapping[str, Features]) -> Features:
        """The joined features.

        Rows whose input is absent have an all-False mask; what stands in their tokens and pooled features is zero and
        must change nothing. An input that no row of the batch has comes as one such token, whatever `tokens` says.
        Every row has at least one input in training; a row that has none must still give numbers.
        """
