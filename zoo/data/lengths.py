"""How long the cells of texts, sounds and sequences are, without decoding any."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Int
from numpy.typing import NDArray

from zoo.component import Modality
from zoo.data.columns import part_columns
from zoo.data.rows import Selection
from zoo.data.samples import Parts
from zoo.data.tables import ArrowTable

Lengths = Int[np.ndarray, "_rows"]

SPREAD = 1.2
"""How much longer the longest row is than the mean of all, at least, where it is worth to sort them."""


def lengths_of(model: Parts, selections: Sequence[Selection], passed: Collection[str]) -> list[Lengths] | None:
    """The length of each selected row: that of the longest of its inputs, in thousandths of the input's mean.

    Characters of a text, bytes of a sound, steps of a sequence. None where none is known, or all are about the same.

    Args:
        model: Whose inputs are read.
        selections: The rows.
        passed: Inputs that need not be looked at.
    """
    names = [name for name in model.spec.inputs if name not in passed]
    found = [each for each in (_of_input(model, name, selections) for name in names) if each is not None]
    if not found:
        return None
    longest = np.maximum.reduce([each / max(1e-9, each.mean()) for each in found])
    if longest.max(initial=0) < SPREAD:
        return None
    ends = np.cumsum([len(each.numbers) for each in selections])
    return np.split((1000 * longest).astype(np.int64), ends[:-1])


def _of_input(model: Parts, name: str, selections: Sequence[Selection]) -> NDArray[np.float64] | None:
    columns, modality = part_columns(model.spec.inputs[name]), model.inputs[name].value.modality
    if len(columns) != 1:
        return None
    parts = [_of_column(each, columns[0], modality) for each in selections]
    known = [each for each in parts if each is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


def _of_column(selection: Selection, column: str, modality: str) -> NDArray[np.float64] | None:
    from pyarrow import compute

    table = selection.table
    if not isinstance(table, ArrowTable):
        return None
    cells = table.arrow(column)
    if pa.types.is_struct(cells.type) and "bytes" in {field.name for field in cells.type}:
        cells = compute.struct_field(cells, "bytes")
    texts, bytes_ = (pa.types.is_string, pa.types.is_large_string), (pa.types.is_binary, pa.types.is_large_binary)
    lists = (pa.types.is_list, pa.types.is_large_list)
    measure = None
    if modality == Modality.TEXT and any(is_(cells.type) for is_ in texts):
        measure = compute.utf8_length
    elif modality == Modality.AUDIO and any(is_(cells.type) for is_ in bytes_):
        measure = compute.binary_length
    elif modality == Modality.SEQUENCE and any(is_(cells.type) for is_ in lists):
        measure = compute.list_value_length
    if measure is None:
        return None
    measured = np.concatenate([_numbers(measure(chunk)) for chunk in cells.chunks])
    chosen: NDArray[np.int64] = measured[selection.numbers]
    return chosen.astype(np.float64)


def _numbers(lengths: pa.Array) -> NDArray[np.int64]:
    """Lengths as an array, 0 where there is no cell; Arrow's own `to_numpy` imports pandas."""
    from pyarrow import compute

    filled = compute.if_else(compute.is_null(lengths), pa.scalar(0, lengths.type), lengths)
    width = np.int64 if filled.type == pa.int64() else np.int32
    data = np.frombuffer(filled.buffers()[1], width)
    return data[filled.offset : filled.offset + len(filled)].astype(np.int64)
