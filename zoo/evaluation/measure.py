"""Runs a model over samples and gathers what its metrics need, for every set of modalities at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Any

import torch
from torch import Tensor

from zoo.contract import Metric
from zoo.evaluation.bootstrap import Estimate, estimate
from zoo.features import Batch, Features
from zoo.model.model import ZooModel


@dataclass
class Measured:
    """What was gathered.

    Args:
        metrics_of: Each head's metrics.
        rows: By head, what its metrics need of each row.
        losses: Sum of the loss over rows, and how many there were.
    """

    metrics_of: Mapping[str, Mapping[str, Metric]]
    rows: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    losses: list[tuple[float, int]] = field(default_factory=list)

    @property
    def loss(self) -> float:
        """Mean loss of the rows, as training weighs it; NaN where no row had a label."""
        count = sum(rows for _, rows in self.losses)
        return sum(loss * rows for loss, rows in self.losses) / count if count else float("nan")

    def metrics(self, resamples: int = 0) -> dict[str, dict[str, Estimate]]:
        """Every head's metrics, with intervals where `resamples` is above 0; of heads with a labelled row."""
        return {
            name: {metric: estimate(each.compute, joined, resamples) for metric, each in self.metrics_of[name].items()}
            for name, parts in self.rows.items()
            if (joined := _joined(parts))
        }


@torch.inference_mode()
def measure(model: ZooModel, batches: Iterable[Batch], device: torch.device) -> Measured:
    """Measures the whole model.

    Args:
        model: The model; it is left in the mode that it was in.
        batches: Labelled samples.
        device: Where the model is.
    """
    return measure_subsets(model, batches, device, [tuple(model.spec.inputs)])[tuple(model.spec.inputs)]


@torch.inference_mode()
def measure_subsets(
    model: ZooModel, batches: Iterable[Batch], device: torch.device, subsets: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], Measured]:
    """Measures the model as if samples had these modalities alone. The backbones run once for all of them.

    Args:
        model: The model; it is left in the mode that it was in.
        batches: Labelled samples.
        device: Where the model is.
        subsets: Sets of inputs. Rows that have none of a set's inputs are left out of its numbers.
    """
    heads = {name: model.head(name).metrics for name in model.heads}
    measured = {subset: Measured(heads) for subset in subsets}
    training = model.training
    model.eval()
    try:
        for batch in batches:
            moved = batch.to(device)
            features = model.read(moved)
            for subset in subsets:
                seen = {name: each if name in subset else _hidden(each) for name, each in features.items()}
                _measure_batch(model, moved, seen, measured[subset])
    finally:
        model.train(training)
    return measured


MOST = 6
"""Most inputs of which every set is measured: 63 sets."""


def all_subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Every non-empty set of the inputs, the single ones first.

    Of more than `MOST` inputs each alone, all but each, and all: every further input would double the sets.
    """
    count = len(names)
    sizes = range(1, count + 1) if count <= MOST else (1, count - 1, count)
    return [chosen for size in sizes for chosen in combinations(names, size)]


def _measure_batch(model: ZooModel, batch: Batch, features: Mapping[str, Features], measured: Measured) -> None:
    result = model.decide(batch, features)
    if result.losses:
        measured.losses.append((float(model.loss(result)), len(batch)))
    seen = torch.stack([each.present for each in features.values()]).any(0).cpu()
    for name, targets in batch.targets.items():
        rows = model.head(name).rows(result.outputs[name], targets.value)
        kept = (seen if targets.rows is None else seen[targets.rows]).nonzero().squeeze(1)
        measured.rows.setdefault(name, []).append({key: _chosen(each, kept) for key, each in rows.items()})


def _hidden(features: Features) -> Features:
    """The features as they are where no row has the input."""
    mask = torch.zeros(features.tokens.shape[:2], dtype=torch.bool, device=features.tokens.device)
    maps = tuple(map(torch.zeros_like, features.maps))
    return replace(
        features,
        tokens=torch.zeros_like(features.tokens),
        pooled=torch.zeros_like(features.pooled),
        mask=mask,
        maps=maps,
    )


def _chosen(values: Any, kept: Tensor) -> Any:
    return values.cpu()[kept] if isinstance(values, Tensor) else [values[row] for row in kept.tolist()]


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of all batches as one; empty where there is no row."""
    joined = {}
    for key in parts[0]:
        first = parts[0][key]
        columns = [part[key] for part in parts]
        joined[key] = torch.cat(columns) if isinstance(first, Tensor) else list(chain.from_iterable(columns))
    return joined if joined and len(next(iter(joined.values()))) else {}
