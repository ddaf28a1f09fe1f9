"""The smallest input, backbones, fusion and head."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.toys.declarations import Choice, Convolution, Recurrent
from zoo import FeatureSpec
from zoo.contract import (
    Backbone,
    BackboneContext,
    Fusion,
    FusionContext,
    Head,
    HeadContext,
    InputContext,
    InputType,
    Metric,
    ValueSpec,
)
from zoo.features import Features, Reading, Values, masked_mean

SIDE, FEATURES, STEPS = 16, 3, 8
"""Side of a picture in pixels, features of a step, most steps of a sequence."""


def build_picture(options: None, context: InputContext) -> "Array":
    return Array(ValueSpec(modality="image", shape=(3, None, None)))


def build_steps(options: None, context: InputContext) -> "Array":
    return Array(ValueSpec(modality="sequence", shape=(None, FEATURES), max_length=STEPS))


class Array(InputType):
    """Nested lists or tensors of numbers, as they are."""

    def __init__(self, value: ValueSpec) -> None:
        self.value = value

    def decode(self, cell: Any, folder: Path) -> Tensor:
        try:
            return torch.as_tensor(cell, dtype=torch.float32)
        except (TypeError, RuntimeError) as error:
            raise ValueError(f"expected numbers: {error}") from None


def names(module: nn.Module, *prefixes: str) -> list[list[str]]:
    """Names in the module's state, grouped by how they begin."""
    return [[name for name in module.state_dict() if name.startswith(prefix)] for prefix in prefixes]


def build_conv(options: Convolution, context: BackboneContext) -> "Conv":
    return Conv(options)


class Conv(Backbone):
    """Two convolutions, each with a BatchNorm, the second of which has no scale; dropout between them."""

    def __init__(self, options: Convolution) -> None:
        super().__init__()
        width = options.width
        self.first = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU())
        self.dropout = nn.Dropout(options.dropout)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 2, 1), nn.BatchNorm2d(width, affine=False))
        self.features = FeatureSpec(dim=width, pooled_dim=width, tokens=(SIDE // 4) ** 2)
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        tokens = self.second(self.dropout(self.first(values.data))).flatten(2).transpose(1, 2)
        return Features(tokens, tokens.mean(1))

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, 3, SIDE, SIDE))

    def layer_groups(self) -> list[list[str]]:
        return names(self, "first.", "second.")


def build_recurrent(options: Recurrent, context: BackboneContext) -> "Steps":
    return Steps(options, context)


class Steps(Backbone):
    """A recurrence over the steps; padding changes nothing, because it stands behind all that is real."""

    def __init__(self, options: Recurrent, context: BackboneContext) -> None:
        super().__init__()
        width = context.value.shape[1]
        assert width is not None
        self.cell = nn.GRU(width, options.width, batch_first=True)
        self.features = FeatureSpec(dim=options.width, pooled_dim=options.width)
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        assert isinstance(values.data, Tensor)
        mask = values.mask
        data = values.data if mask is None else values.data.masked_fill(~mask[..., None], 0)
        tokens = self.cell(data)[0]
        return Features(tokens, masked_mean(tokens, mask), mask)

    def example(self, batch: int) -> Values:
        return Values(torch.zeros(batch, STEPS, FEATURES))

    def layer_groups(self) -> list[list[str]]:
        return names(self, "cell.")


def build_mean(options: None, context: FusionContext) -> "Mean":
    return Mean(context.inputs)


class Mean(Fusion):
    """The mean of the projected pooled features of the inputs that are there."""

    def __init__(self, inputs: Mapping[str, FeatureSpec]) -> None:
        super().__init__()
        self.projections = nn.ModuleDict({name: nn.Linear(spec.pooled_dim, 8) for name, spec in inputs.items()})
        self.features = FeatureSpec(dim=8, pooled_dim=8, tokens=1)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        present = torch.stack([features.present for features in inputs.values()], 1)
        each = torch.stack([self.projections[name](features.pooled) for name, features in inputs.items()], 1)
        pooled = masked_mean(each, present)
        return Features(pooled[:, None], pooled)


def build_choice(options: Choice, context: HeadContext) -> "Chooser":
    return Chooser(options, context)


def _accuracy(rows: Mapping[str, Any]) -> float:
    return float((rows["chosen"] == rows["label"]).float().mean())


class Chooser(Head):
    """A linear classifier."""

    metrics: ClassVar[Mapping[str, Metric]] = {"accuracy": Metric(_accuracy, doc="Share of the rows that are right.")}

    def __init__(self, options: Choice, context: HeadContext) -> None:
        super().__init__()
        self.classes = options.classes
        self.linear = nn.Linear(context.features.pooled_dim, len(self.classes))

    def forward(self, reading: Reading, targets: Any = None) -> Tensor:
        scores: Tensor = self.linear(reading.fused.pooled)
        return scores

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        return F.cross_entropy(outputs, targets)

    def decode(self, outputs: Any) -> list[Any]:
        return [self.classes[index] for index in outputs.argmax(1).tolist()]

    def label(self, cell: Any) -> int:
        if cell not in self.classes:
            raise ValueError(f"`{cell}` is none of {', '.join(self.classes)}")
        return self.classes.index(cell)

    def collate(self, labels: Sequence[int]) -> Tensor:
        return torch.tensor(labels)

    def rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        return {"chosen": outputs.argmax(1), "label": targets}
