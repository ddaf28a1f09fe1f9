"""Runs a model over samples and gathers what its metrics need, for every set of modalities at once."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, combinations
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from zoo.contract import Head, Metric, MetricRows
from zoo.evaluation.bootstrap import Draws, Question, chosen, count_of
from zoo.evaluation.estimate import Estimate, estimates
from zoo.features import Batch, Features
from zoo.model.model import ZooModel

Key = TypeVar("Key", bound=Hashable)
Variant = Callable[[Mapping[str, Features]], Mapping[str, Features]]
"""What a model sees in place of the features of its inputs."""


@dataclass
class Gathered:
    """The labelled rows of a head, batch by batch.

    Args:
        rows: What its metrics need of them.
        seen: Which of them have any of the inputs that were seen.
        numbers: Which rows of all these are, counted from 0.
        targets: Their labels; of heads with a `task` alone.
        width: Of outputs `(batch, width)`, their width; else 0.
    """

    rows: list[MetricRows] = field(default_factory=list)
    seen: list[Bool[Tensor, "_"]] = field(default_factory=list)
    numbers: list[Int[Tensor, "_"]] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    width: int = 0

    def joined(self) -> "HeadRows":
        """All rows as one, in the order of their numbers."""
        numbers = torch.cat(self.numbers)
        order = numbers.argsort()
        targets = torch.cat(self.targets)[order] if self.targets else None
        rows = chosen(_joined(self.rows), order)
        return HeadRows(rows, torch.cat(self.seen)[order], numbers[order], targets, self.width)


@dataclass(frozen=True)
class HeadRows:
    """The labelled rows of a head, in order; see `Gathered`."""

    rows: MetricRows
    seen: Bool[Tensor, "rows"]
    numbers: Int[Tensor, "rows"]
    targets: Tensor | None
    width: int


@dataclass
class Measured:
    """What was gathered.

    Args:
        heads: The model's heads.
        gathered: By head, its labelled rows.
        losses: Sum of the loss over rows, and how many there were.
        whole: Whether the rows have all that `all_metrics` need.
    """

    heads: Mapping[str, Head]
    gathered: dict[str, Gathered] = field(default_factory=dict)
    losses: list[tuple[float, int]] = field(default_factory=list)
    whole: bool = False

    @property
    def loss(self) -> float:
        """Mean loss of the rows, as training weighs it; NaN where no row had a label."""
        count = sum(rows for _, rows in self.losses)
        return sum(loss * rows for loss, rows in self.losses) / count if count else float("nan")

    def rows(self) -> dict[str, HeadRows]:
        """The labelled rows of each head that has any."""
        joined = {name: each.joined() for name, each in self.gathered.items() if any(map(len, each.numbers))}
        return {name: each for name, each in joined.items() if count_of(each.rows)}

    def metrics(self, resamples: int = 0) -> dict[str, dict[str, Estimate]]:
        """The metrics of every head with a labelled row that was seen, with intervals if `resamples` is above 0."""
        rows = {name: each for name, each in self.rows().items() if bool(each.seen.any())}
        return {
            name: head_metrics(self.heads[name].metrics, [each], Draws(len(each.seen), resamples))[0]
            for name, each in rows.items()
        }


def head_metrics(
    metrics: Mapping[Key, Metric], versions: Sequence[HeadRows], draws: Draws
) -> list[dict[Key, Estimate]]:
    """Metrics of several versions of a head's rows, from the same resamples; each of the rows that it has seen."""
    questions = []
    for version in versions:
        index = None if bool(version.seen.all()) else version.seen.nonzero().squeeze(1)
        rows = version.rows if index is None else chosen(version.rows, index)
        questions += [Question(each, rows, index) for each in metrics.values()]
    found = iter(estimates(questions, draws))
    return [{name: next(found) for name in metrics} for _ in versions]


def measure(model: ZooModel, batches: Iterable[Batch], device: torch.device) -> Measured:
    """Measures the whole model.

    Args:
        model: The model; it is left in the mode that it was in.
        batches: Labelled samples.
        device: Where the model is.
    """
    return measure_variants(model, batches, device, {"": dict})[""]


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
    return measure_variants(model, batches, device, {subset: partial(only, subset) for subset in subsets})


@torch.inference_mode()
def measure_variants(
    model: ZooModel,
    batches: Iterable[Batch],
    device: torch.device,
    variants: Mapping[Key, Variant],
    *,
    whole: Key | None = None,
    numbers: Sequence[int] | None = None,
    watch: Callable[[Batch, Mapping[str, Features]], None] = lambda batch, features: None,
) -> dict[Key, Measured]:
    """Measures the model on several versions of its features. The backbones run once for all of them.

    Args:
        model: The model; it is left in the mode that it was in.
        batches: Labelled samples.
        device: Where the model is.
        variants: By key, what becomes of the features before fusion and heads see them.
        whole: Of which of them all is gathered that `all_metrics` need.
        numbers: Which rows come, in their order; as many as there are, unless given.
        watch: Is shown every batch and its features.
    """
    heads = {name: model.head(name) for name in model.heads}
    measured = {key: Measured(heads, whole=key == whole) for key in variants}
    training = model.training
    model.eval()
    start = 0
    try:
        for batch in batches:
            moved = batch.to(device)
            places = torch.arange(start, start + len(batch))
            start += len(batch)
            placed = places if numbers is None else torch.as_tensor(numbers)[places]
            features = model.read(moved)
            watch(batch, features)
            for key, variant in variants.items():
                _measure_batch(model, moved, variant(features), measured[key], placed)
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


def only(subset: Sequence[str], features: Mapping[str, Features]) -> Mapping[str, Features]:
    """The features as if no row had any other input."""
    return {name: each if name in subset else _hidden(each) for name, each in features.items()}


def exchanged(name: str, generator: torch.Generator, features: Mapping[str, Features]) -> Mapping[str, Features]:
    """The features with those of one input exchanged at random among the rows that have it."""
    there = features[name].present.cpu().nonzero().squeeze(1)
    order = torch.arange(len(features[name].pooled))
    order[there] = there[torch.randperm(len(there), generator=generator)]
    return {**features, name: features[name].rows(order)}


def _measure_batch(
    model: ZooModel, batch: Batch, features: Mapping[str, Features], measured: Measured, numbers: Int[Tensor, "_"]
) -> None:
    result = model.decide(batch, features)
    if result.losses:
        measured.losses.append((float(model.loss(result)), len(batch)))
    seen = torch.stack([each.present for each in features.values()]).any(0).cpu()
    for name, targets in batch.targets.items():
        head, outputs = model.head(name), result.outputs[name]
        gathered = measured.gathered.setdefault(name, Gathered())
        rows = head.all_rows(outputs, targets.value) if measured.whole else head.rows(outputs, targets.value)
        gathered.rows.append({key: each.cpu() if isinstance(each, Tensor) else each for key, each in rows.items()})
        gathered.seen.append(seen if targets.rows is None else seen[targets.rows])
        gathered.numbers.append(numbers if targets.rows is None else numbers[targets.rows])
        if head.task is not None and measured.whole:
            gathered.targets.append(targets.value.cpu())
            gathered.width = outputs.shape[1]


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


def _joined(parts: Sequence[MetricRows]) -> dict[str, Any]:
    """The rows of all batches as one."""
    joined = {}
    for key in parts[0]:
        columns = [part[key] for part in parts]
        joined[key] = torch.cat(columns) if isinstance(columns[0], Tensor) else list(chain.from_iterable(columns))
    return joined
