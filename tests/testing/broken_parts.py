"""Components of the other kinds that hold all laws but one each; `test_kit.py` tells which."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.toys.basic import Array, Chooser, Mean
from zoo import Features, FeatureSpec, Metric, Reading, Trainable, ValueSpec
from zoo.contract import Frontend, FrontendContext, FusionContext, InputContext, Policy, PolicyContext


class WrongWidth(Mean):
    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)
        self.features = FeatureSpec(dim=8, pooled_dim=9, tokens=1)


class Blending(Mean):
    """It takes what stands in absent inputs for real."""

    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        pooled = sum(self.projections[name](features.pooled) for name, features in inputs.items())
        assert isinstance(pooled, Tensor)
        return Features(pooled[:, None], pooled)


class Gathering(Mean):
    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        pooled = super().forward(inputs).pooled
        pooled = pooled - 0.5 * pooled.mean(0)
        return Features(pooled[:, None], pooled)


class Partial(Mean):
    """It gives every projection a gradient, and the last input no say."""

    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        name, last = list(inputs.items())[-1]
        still = Features(last.tokens * 0, last.pooled * 0, last.mask)
        return super().forward({**inputs, name: still})


class Deaf(Mean):
    """It hears the last input only where that is loud, so that its absence is like most of its presence."""

    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        rows = []
        for place, (name, features) in enumerate(inputs.items()):
            loud = features.pooled.mean(1) > 0.5 if place == len(inputs) - 1 else features.present
            rows.append(self.projections[name](features.pooled).masked_fill(~(loud & features.present)[:, None], 0))
        pooled = torch.stack(rows).sum(0)
        return Features(pooled[:, None], pooled)


class Counting(Mean):
    """It takes the number of an input's tokens for granted."""

    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)
        self.name, spec = next((name, spec) for name, spec in context.inputs.items() if spec.tokens)
        self.tokens = nn.Linear((spec.tokens or 1) * spec.dim, 8, bias=False)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        features = inputs[self.name]
        real = features.tokens.masked_fill(~features.present[:, None, None], 0)
        pooled = super().forward(inputs).pooled + self.tokens(real.flatten(1))
        return Features(pooled[:, None], pooled)


class NotEveryRow(Mean):
    """A row without any input is divided by nothing."""

    def __init__(self, options: None, context: FusionContext) -> None:
        super().__init__(context.inputs)

    def forward(self, inputs: Mapping[str, Features]) -> Features:
        present = torch.stack([features.present for features in inputs.values()]).sum(0)
        pooled = super().forward(inputs).pooled / present[:, None]
        return Features(pooled[:, None], pooled)


class Scattered(Chooser):
    def loss(self, outputs: Any, targets: Any) -> Tensor:
        return F.cross_entropy(outputs, targets, reduction="none")


class Raw(Chooser):
    def decode(self, outputs: Any) -> list[Any]:
        return list(outputs.argmax(1))


class Short(Chooser):
    def decode(self, outputs: Any) -> list[Any]:
        return super().decode(outputs)[1:]


class Credulous(Chooser):
    def label(self, cell: Any) -> int:
        return self.classes.index(cell) if cell in self.classes else 0


class Unmeasured(Chooser):
    metrics: ClassVar[Mapping[str, Metric]] = {}


def _right(rows: Mapping[str, Any]) -> Any:
    return (rows["chosen"] == rows["label"]).float().mean()


class Tensorial(Chooser):
    metrics: ClassVar[Mapping[str, Metric]] = {"accuracy": Metric(_right, doc="Share of the rows that are right.")}


def _share_right(rows: Mapping[str, Any]) -> float:
    return float((rows["chosen"] == rows["label"]).double().mean())


def _unweighed(rows: Mapping[str, Any]) -> Any:
    return lambda weights: torch.full((weights.shape[1],), -1.0)


class Unweighed(Chooser):
    metrics: ClassVar[Mapping[str, Metric]] = {
        "accuracy": Metric(_share_right, doc="Share of the rows that are right.", weighted=_unweighed)
    }


class Promising(Chooser):
    """It promises the numbers of classes, and gives their names."""

    def prediction_type(self) -> Any:
        return int


class Comparing(Chooser):
    def forward(self, reading: Reading, targets: Any = None) -> Tensor:
        scores = super().forward(reading, targets)
        return scores - scores.mean(0)


class Guessing(Chooser):
    """Its example is of labels that no row has, so that the loss has nothing to be the mean of."""

    def example(self, batch: int) -> Any:
        return torch.full((batch,), -100)


class Wordy(Chooser):
    def example(self, batch: int) -> Any:
        return {"labels": torch.zeros(batch, dtype=torch.long)}


class Imprecise(Chooser):
    def example(self, batch: int) -> Any:
        return torch.zeros(batch, dtype=torch.int32)


class Sparing(Chooser):
    """Whatever the number of rows, its example is of four: those that it is tried with."""

    def example(self, batch: int) -> Any:
        return torch.zeros(4, dtype=torch.long)


class Earthbound(Chooser):
    def example(self, batch: int) -> Any:
        return torch.zeros(batch, dtype=torch.long, device="cpu")


class Shrinking(Chooser):
    """Labels of any length, and an example that is shorter than some of them."""

    def collate(self, labels: Sequence[int]) -> Any:
        return {"label": torch.tensor(labels), "spelled": torch.zeros(len(labels), max(labels) + 1)}

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        return super().loss(outputs, targets["label"])

    def rows(self, outputs: Any, targets: Any) -> Mapping[str, Any]:
        return super().rows(outputs, targets["label"])

    def example(self, batch: int) -> Any:
        return {"label": torch.zeros(batch, dtype=torch.long), "spelled": torch.zeros(batch, self.spelled)}

    spelled = 1


class Growing(Shrinking):
    """The same with an example that is longer than all of them, as is right."""

    spelled = 9


class Numbers(Array):
    def __init__(self, options: None, context: InputContext) -> None:
        super().__init__(ValueSpec(modality="sequence", shape=(None, 3)))


class Flat(Numbers):
    def decode(self, cell: Any, folder: Path) -> Tensor:
        return super().decode(cell, folder).flatten()


class Drifting(Numbers):
    calls = 0

    def decode(self, cell: Any, folder: Path) -> Tensor:
        self.calls += 1
        return super().decode(cell, folder) + self.calls


class Laden(Numbers):
    def __init__(self, options: None, context: InputContext) -> None:
        super().__init__(options, context)
        self.network = nn.Linear(1, 1)


class Strict(Numbers):
    def check(self, cell: Any, folder: Path) -> None:
        raise ValueError("never")


class Blind(Numbers):
    def is_missing(self, cell: Any) -> bool:
        return False


class Rude(Numbers):
    def decode(self, cell: Any, folder: Path) -> Tensor:
        return torch.as_tensor(cell, dtype=torch.float32)


def learn_keys(options: None, context: InputContext, cells: Iterable[Any]) -> dict[Any, Any]:
    return {1: len(list(cells))}


class Halved(Frontend):
    """Sound as a picture of one row."""

    def __init__(self, options: None, context: FrontendContext) -> None:
        self.value = ValueSpec(modality="image", shape=(1, 1, None))

    def __call__(self, value: Tensor) -> Tensor:
        return value[None, None]


class Misshapen(Halved):
    def __call__(self, value: Tensor) -> Tensor:
        return value[None]


class Noisy(Halved):
    def __call__(self, value: Tensor) -> Tensor:
        return value[None, None] + torch.randn(())


class Wearing(Halved):
    def __call__(self, value: Tensor) -> Tensor:
        made = value[None, None].clone()
        value.zero_()
        return made


class Everything(Policy):
    def __init__(self, options: None, context: PolicyContext) -> None:
        pass

    def trainable(self, part: Trainable) -> Collection[str]:
        return part.names


class Trespassing(Everything):
    def trainable(self, part: Trainable) -> Collection[str]:
        return [*part.names, "head.weight"]


class Wavering(Everything):
    asked = 0

    def trainable(self, part: Trainable) -> Collection[str]:
        self.asked += 1
        return part.names if self.asked % 2 else ()
