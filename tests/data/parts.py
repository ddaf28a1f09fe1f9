"""What of a model prepares samples, without a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor

from tests.toys.models import toy_spec
from zoo.contract import Backbone, Frontend, Head, InputType, ValueSpec
from zoo.data.samples import Parts

SPEC = """\
inputs:
  photo: {type: toy/picture, backbone: toy/conv, column: image}
  walk: {type: toy/steps, backbone: toy/recurrent}
fusion: toy/mean
heads:
  mood: {use: toy/choice, column: label, classes: [good, bad]}
  stars: {use: zoo/regressor}
data: {train: train.jsonl, validation: 0.25}
train: {batch_size: 4}
"""


class Numbers(InputType):
    """Lists of numbers. `seen` counts how many were decoded."""

    def __init__(self) -> None:
        self.value = ValueSpec(modality="sequence", shape=(None,))
        self.seen = 0

    def decode(self, cell: Any, folder: Path) -> list[float]:
        self.seen += 1
        if not isinstance(cell, list):
            raise ValueError(f"{cell!r} is no list of numbers")
        return cell


class Half(Frontend):
    """Halves numbers."""

    value = ValueSpec(modality="sequence", shape=(None,))

    def __call__(self, value: list[float]) -> list[float]:
        return [number / 2 for number in value]


class Labels(Head):
    """Any label but `wrong`."""

    def forward(self, reading: Any, targets: Any = None) -> Any:
        raise NotImplementedError

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        raise NotImplementedError

    def decode(self, outputs: Any) -> list[Any]:
        raise NotImplementedError

    def label(self, cell: Any) -> Any:
        if cell == "wrong":
            raise ValueError("`wrong` is no label")
        return cell


class Noisy(Labels):
    """Two views of the photo, each with noise."""

    def views(self, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return [{"photo": [number + torch.rand(()).item() for number in values["photo"]]} for _ in range(2)]


def prepare(value: list[float]) -> Tensor:
    if not value:
        raise ValueError("it is empty")
    return torch.tensor(value)


class Toys:
    """The parts of a toy spec: two inputs, the first with a front end, and heads."""

    def __init__(self, head: type[Labels] = Labels, folder: Path | None = None, text: str = SPEC) -> None:
        self.spec = toy_spec(text, folder)
        self.inputs: dict[str, InputType] = {name: Numbers() for name in self.spec.inputs}
        self.frontends: dict[str, Frontend] = {"photo": Half()}
        self._heads = {name: head() for name in self.spec.heads}

    def backbone(self, name: str) -> Backbone:
        return cast(Backbone, SimpleNamespace(prepare=prepare, padding_value=0.0))

    def head(self, name: str) -> Head:
        return self._heads[name]

    @property
    def seen(self) -> int:
        """How many cells were decoded so far."""
        return sum(each.seen for each in self.inputs.values() if isinstance(each, Numbers))


_: type[Parts] = Toys
