"""Features of a model's backbones, for a linear probe and the nearest neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from zoo.data.open import mixed
from zoo.data.rows import Selection
from zoo.features import Batch, Features
from zoo.model.model import ZooModel
from zoo.spec.sections import Backbone, Input, Transfer

MOST = 2_000
"""Most training rows whose features are made: the backbones run on them."""

FROZEN = "frozen features"
"""What features are called that are as they were before training."""

KEPT = 1 << 28
"""Bytes of features of measured rows that are kept."""


@dataclass
class Pooled:
    """Pooled features of all inputs side by side, zeros where a row lacks one; gathered batch by batch.

    Args:
        parts: `(batch, width)` each.
        labels: By head, the rows that have a label, and the labels as its `collate` makes them.
    """

    parts: list[Float[Tensor, "_ _"]] = field(default_factory=list)
    labels: dict[str, list[tuple[Int[Tensor, "_"], Tensor]]] = field(default_factory=dict)
    rows: int = 0
    room: int = KEPT

    def add(self, batch: Batch, features: Mapping[str, Features]) -> None:
        """Adds a batch."""
        pooled = torch.cat([each.pooled.float().cpu() for each in features.values()], 1)
        self.room -= pooled.nbytes
        if self.room >= 0:
            self.parts.append(pooled)
        else:
            self.parts.clear()
        for name, targets in batch.targets.items():
            if isinstance(targets.value, Tensor):
                places = torch.arange(len(batch)) if targets.rows is None else targets.rows
                self.labels.setdefault(name, []).append((places + self.rows, targets.value.cpu()))
        self.rows += len(batch)

    def joined(self) -> Float[Tensor, "rows width"] | None:
        """All rows; None where there was no room for them."""
        return torch.cat(self.parts) if self.room >= 0 and self.parts else None

    def labelled(self, head: str) -> tuple[Int[Tensor, "labelled"], Tensor] | None:
        """The rows that have a label of a head, and the labels."""
        if head not in self.labels:
            return None
        places, targets = zip(*self.labels[head], strict=True)
        return torch.cat(places), torch.cat(targets)


@torch.inference_mode()
def training_features(model: ZooModel, selections: Sequence[Selection], device: torch.device) -> Pooled:
    """Features of some of the training rows, drawn at random, no more than `MOST`."""
    pooled = Pooled()
    loader, _ = mixed(model, selections, MOST)
    model.eval()
    for batch in loader:
        moved = batch.to(device)
        pooled.add(moved, model.read(moved))
    return pooled


def features_told(model: ZooModel) -> str:
    """What to call the features: whether training moved the backbones that they come from."""
    sections = [each for each in model.spec.inputs.values() if isinstance(each.backbone, Backbone)]
    frozen = [_stayed(each, model.spec.transfer) for each in sections]
    if all(frozen):
        return FROZEN
    return "frozen and tuned features" if any(frozen) else "tuned features"


def _stayed(section: Input, whole: Transfer) -> bool:
    """Whether a backbone is as it started; by the whole's transfer that is one with weights alone."""
    transfer = section.transfer or whole
    pretrained = isinstance(section.backbone, Backbone) and section.backbone.weights != "none"
    return transfer.registered.name == "zoo/frozen" and (pretrained or section.transfer is not None)
