"""Probabilities that mean what they say: each head's temperature, fitted to the validation rows after training."""

from collections.abc import Collection, Iterable

import torch
from torch import Tensor

from zoo.contract import Calibrated, is_calibrated
from zoo.features import Batch
from zoo.model.calibration import Calibration
from zoo.model.model import ZooModel

FEWEST = 30
"""Labelled rows that a temperature is fitted to, at least."""


@torch.no_grad()
def calibrate(model: ZooModel, batches: Iterable[Batch] | None) -> None:
    """Fits the temperature of every head that has one (Guo et al. 2017); `model.calibration` tells what came of it.

    It stays 1 where there are too few rows or they do not tell it. A head that is frozen stays as it is.

    Args:
        model: The model, after its training; it is left in the mode that it was in.
        batches: Labelled samples that it did not learn from; None where there are none.
    """
    frozen = {id(module) for module in model.frozen}
    heads = {name: head for name in model.heads if is_calibrated(head := model.head(name))}
    moving = {name: head for name, head in heads.items() if id(head) not in frozen}
    gathered = _gathered(model, moving, batches or ())
    model.calibration = {name: _fitted(head, *gathered[name]) for name, head in moving.items()}


def _fitted(head: Calibrated, outputs: Tensor, targets: Tensor) -> Calibration:
    head.temperature.fill_(1.0)
    rows = len(outputs)
    if rows < FEWEST:
        return Calibration(rows, f"and {FEWEST} are the fewest that tell")
    try:
        head.temperature.fill_(head.fitted_temperature(outputs, targets))
    except ValueError as error:
        return Calibration(rows, f"and {error}")
    return Calibration(rows)


def _gathered(model: ZooModel, heads: Collection[str], batches: Iterable[Batch]) -> dict[str, tuple[Tensor, Tensor]]:
    """Outputs and targets of all labelled rows, by head, on the CPU."""
    outputs: dict[str, list[Tensor]] = {name: [] for name in heads}
    targets: dict[str, list[Tensor]] = {name: [] for name in heads}
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        for batch in batches:
            result = model(batch.to(device))
            for name in heads:
                if name in batch.targets:
                    outputs[name].append(result.outputs[name].cpu())
                    targets[name].append(batch.targets[name].value)
    finally:
        model.train(training)
    return {name: (_joined(outputs[name]), _joined(targets[name])) for name in heads}


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts) if parts else torch.empty(0)
