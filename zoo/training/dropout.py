"""Modality dropout: in training, samples lose inputs at random, so that the model learns to do without any of them."""

from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor

from zoo.features import Batch


def drop_inputs(batch: Batch, probability: float, generator: torch.Generator) -> Batch:
    """The batch with inputs left out: each with the probability, never all that a sample has (Neverova et al. 2016).

    A dropped input is absent as one that was never there: its row does not reach the backbone.

    Args:
        batch: The samples.
        probability: Of dropping each input of each sample.
        generator: Source of randomness, on the CPU.
    """
    if probability == 0 or len(batch.inputs) < 2:
        return batch
    present = torch.stack([_present(values.present, len(batch)) for values in batch.inputs.values()])
    kept = _kept(present, probability, generator)
    inputs = {
        name: values.without(present[row] & ~kept[row]) for row, (name, values) in enumerate(batch.inputs.items())
    }
    return replace(batch, inputs=inputs)


def _kept(
    present: Bool[Tensor, "inputs batch"], probability: float, generator: torch.Generator
) -> Bool[Tensor, "inputs batch"]:
    """What stays: drawn anew for the samples that would lose everything."""
    kept = present & (torch.rand(present.shape, generator=generator) >= probability)
    while bool((empty := present.any(0) & ~kept.any(0)).any()):
        again = present & (torch.rand(present.shape, generator=generator) >= probability)
        kept = torch.where(empty, again, kept)
    return kept


def _present(present: Bool[Tensor, "batch"] | None, rows: int) -> Bool[Tensor, "batch"]:
    return torch.ones(rows, dtype=torch.bool) if present is None else present
