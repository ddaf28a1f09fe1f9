"""Vectors and sequences."""

from collections.abc import Sized
from pathlib import Path
from typing import Any

import numpy as np

from zoo.component import Modality
from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look, digest_of


def look_at_numbers(value: Any, cell: Any, folder: Path, spec: ValueSpec) -> Look:
    """What is seen of a vector `(columns,)`, or of a sequence `(steps, features)`.

    A quick model reads a vector as it is, a missing number as the mean; of a sequence the mean and the deviation of
    each feature.
    """
    array = value.numpy(force=True)
    digest = digest_of(repr(array.shape).encode(), array.tobytes())
    if spec.modality == Modality.VECTOR:
        return Look(digest, features=np.nan_to_num(array, posinf=0, neginf=0))
    steps = len(cell) if isinstance(cell, Sized) else len(array)
    features = np.concatenate([array.mean(0), array.std(0)])
    traits = ("one step",) if steps == 1 else ()
    return Look(digest, {"steps": steps}, bool(spec.max_length and steps > spec.max_length), traits, features=features)
