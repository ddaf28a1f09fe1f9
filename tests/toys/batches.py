"""Batches of rows that are in memory, and a short training on them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from zoo.data.loader import Loader
from zoo.data.memory import Samples
from zoo.data.rows import Selection
from zoo.features import Batch
from zoo.model.model import ZooModel
from zoo.transfer.freeze import apply_transfer
from zoo.transfer.optimizer import make_optimizer

Rows = Sequence[Mapping[str, Any]]


def toy_loader(model: ZooModel, rows: Rows, batch_size: int, heads: Sequence[str] | None = None) -> Loader:
    """Rows with the labels of some heads, of all unless said."""
    chosen = frozenset(model.spec.heads if heads is None else heads)
    return Loader(model, [Selection(Samples(rows), np.arange(len(rows)), chosen)], batch_size=batch_size)


def toy_batch(model: ZooModel, rows: Rows, heads: Sequence[str] | None = None) -> Batch:
    """All rows as one batch."""
    (batch,) = toy_loader(model, rows, len(rows), heads)
    return batch


def toy_predictions(model: ZooModel, rows: Rows) -> list[Any]:
    """What the only head tells of rows without labels."""
    (told,) = model.eval().predict(toy_batch(model, rows, ())).values()
    return told


def toy_training(model: ZooModel, rows: Rows, epochs: int, batch_size: int) -> list[float]:
    """Trains as the spec says, without a schedule, and gives the loss of every step."""
    apply_transfer(model)
    optimizer, loader, losses = make_optimizer(model.train()), toy_loader(model, rows, batch_size), []
    for epoch in range(1, epochs + 1):
        for step in loader.epoch(epoch):
            loss = model.loss(model(step.batch.to("cpu")))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            losses.append(float(loss.detach()))
    return losses


def fell(losses: Sequence[float]) -> float:
    """What became of the loss: the mean of the last five steps over that of the first five."""
    return sum(losses[-5:]) / sum(losses[:5])
