"""Backbones: values of one modality become features."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from zoo.component import FeatureSpec
from zoo.contract.input import ValueSpec
from zoo.features import Features, Values


class Files(Protocol):
    """Small files that came with the weights: a configuration, a tokenizer."""

    def path(self, name: str) -> Path | None:
        """Where the file is on this machine, fetched if need be; None when there is none of that name."""


@dataclass(frozen=True, kw_only=True)
class BackboneContext:
    """What a backbone is built from, beside its options.

    Args:
        name: Its bare name, in a family which member: `resnet50.a1_in1k`.
        value: The values that it is given, after the front end.
        files: Files beside the weights; None where it starts at random or its library knows them by name.
        fitted: What the component's `fit` learnt from the training rows; empty where it has none.
    """

    name: str
    value: ValueSpec
    files: Files | None = None
    fitted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adapted:
    """Weights fitted to a backbone.

    Args:
        tensors: Tensors by the backbone's own names, in its own shapes. What is not among them starts at random.
        resized: What was changed and how, by name: `conv1.weight: 3 channels summed to 1`.
        unused: Names in the weights that the backbone has no place for: a classifier that is replaced.
    """

    tensors: Mapping[str, Tensor]
    resized: Mapping[str, str] = field(default_factory=dict)
    unused: Sequence[str] = ()


class Backbone(nn.Module, ABC):
    """A network from values to features. The module's own parameter names are those of lock, policies and digests.

    Set in `__init__`: `features`, and `prepare`.
    """

    features: FeatureSpec
    """Shapes of what it gives."""

    prepare: Callable[[Any], Tensor]
    """Turns one value into what `forward` reads, as these weights were trained: resized, normalised, tokenised.

    An object of its own, without weights: worker processes take it along. Tensors whose shapes agree are stacked; those
    that differ in their first dimension are padded there with `padding_value`; others become a list.
    """

    padding: Literal["masked", "exact"] = "masked"
    """`exact` where padding would change the output in spite of the mask: zoo then runs rows of equal size together."""

    padding_value: float = 0
    """What stands under padding."""

    weight_files: Sequence[str] = ("model.safetensors",)
    """Names that the weights may have in a repository or folder, best first."""

    end_token: int
    """Number of the token that ends a text; of backbones that provide `generate`, whose `prepare` puts it there."""

    @abstractmethod
    def forward(self, values: Values) -> Features:
        """Features of the values; every row is present. Pooled features may not depend on padding."""

    @abstractmethod
    def example(self, batch: int) -> Values:
        """Valid values of the largest size, made on torch's default device, to trace shapes with."""

    @abstractmethod
    def layer_groups(self) -> list[list[str]]:
        """Names of all parameters and persistent buffers in groups, from the input to the output."""

    def adapt(self, state: Mapping[str, Tensor]) -> Adapted:
        """Fits weights, under the names of their library or under this module's own, to this backbone.

        Raises:
            ValueError: They are of another architecture; the message says what does not fit.
        """
        return Adapted({name: tensor for name, tensor in state.items() if name in self.state_dict()})

    def reference(self) -> Mapping[str, Tensor]:
        """Names and shapes that the pretrained weights have, as meta tensors, so that `zoo plan` needs no download."""
        return {name: tensor.to("meta") for name, tensor in self.state_dict().items()}

    def restore_buffers(self) -> None:
        """Recomputes buffers that are in no checkpoint, after they were allocated empty. Most modules need nothing."""

    def recompute(self) -> None:
        """Makes the backward pass compute the layers again instead of keeping what they gave (Chen et al. 2016).

        Raises:
            NotImplementedError: The backbone cannot.
        """
        raise NotImplementedError

    def files(self) -> Mapping[str, str]:
        """Texts that must be kept with the weights so that the backbone can be built again, by file name."""
        return {}

    def stages(self, values: Values) -> list[Float[Tensor, "batch _dim"]]:
        """Pooled outputs by depth, shallowest first; for backbones that provide `stages`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `stages`")

    def pyramid(self, values: Values) -> Features:
        """Features with `maps`; for backbones that provide `maps`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `maps`")

    def embed(self, values: Values) -> tuple[Float[Tensor, "batch tokens dim"], Bool[Tensor, "batch tokens"] | None]:
        """Tokens with their positions, before any mixing, and their mask; for backbones that provide `encode`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `encode`")

    def encode(
        self,
        tokens: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch tokens"] | None = None,
        keep: Int[Tensor, "batch kept"] | None = None,
    ) -> Features:
        """Features of embedded tokens, of those in `keep` alone where given; `forward` is `encode(*embed(values))`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `encode`")

    def logits(
        self, tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None = None
    ) -> Float[Tensor, "batch tokens vocabulary"]:
        """Scores of the next token after each; for backbones that provide `generate`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `generate`")

    def text(self, tokens: Sequence[int]) -> str:
        """The text of some tokens, as `prepare` numbers them; for backbones that provide `generate`."""
        raise NotImplementedError(f"{type(self).__name__} does not provide `generate`")


def token_mask(lengths: Int[Tensor, "batch"], tokens: int) -> Bool[Tensor, "batch tokens"]:
    """True at the first `lengths` tokens of each row."""
    return torch.arange(tokens, device=lengths.device) < lengths[:, None]
