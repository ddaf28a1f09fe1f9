"""Modality dropout: in training, samples lose inputs at random, so that the model learns to do without any of them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from zoo.features import Batch


def drop_inputs(batch: Batch, probability: float) -> Batch:
    """The batch with inputs left out: each with the probability, never all that a sample has (Neverova et al. 2016).

    A dropped input is absent as one that was never there: its row does not reach the backbone. What a sample loses
    depends on its own seed alone, and not on who else is in the batch.

    Args:
        batch: The samples, with their seeds.
        probability: Of dropping each input of each sample.
    """
    if probability == 0 or len(batch.inputs) < 2:
        return batch
    present = torch.stack([_present(values.present, len(batch)) for values in batch.inputs.values()])
    kept = _kept(present, probability, batch.seeds)
    inputs = {
        name: values.without(present[row] & ~kept[row]) for row, (name, values) in enumerate(batch.inputs.items())
    }
    return replace(batch, inputs=inputs)


def _kept(
    present: Bool[Tensor, "inputs batch"], probability: float, seeds: Sequence[int]
) -> Bool[Tensor, "inputs batch"]:
    """What stays: drawn anew for the samples that would lose everything."""
    kept = torch.zeros_like(present)
    for attempt in count():
        empty = present.any(0) & ~kept.any(0)
        if not bool(empty.any()):
            return kept
        stays = torch.from_numpy(_uniform(seeds, len(present), attempt) >= probability)
        kept = torch.where(empty, present & stays, kept)
    raise AssertionError("count() has no end")


def _uniform(seeds: Sequence[int], inputs: int, attempt: int) -> Float[np.ndarray, "inputs batch"]:
    """Numbers from 0 to 1, from each seed by itself (SplitMix64, Steele et al. 2014)."""
    steps = np.arange(attempt * inputs + 1, (attempt + 1) * inputs + 1, dtype=np.uint64)
    mixed = np.array(seeds, np.uint64) + steps[:, None] * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    uniform: NDArray[np.float64] = (mixed ^ (mixed >> np.uint64(31))) / 2.0**64
    return uniform


def _present(present: Bool[Tensor, "batch"] | None, rows: int) -> Bool[Tensor, "batch"]:
    return torch.ones(rows, dtype=torch.bool) if present is None else present
