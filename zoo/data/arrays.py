"""Arrow arrays of Python's values, without Arrow's own conversion, which imports pandas."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Cells = Sequence[Any]


def texts(cells: Cells) -> pa.Array:
    """An array of texts."""
    encoded = [cell.encode() for cell in cells]
    offsets = _offsets(list(map(len, encoded)))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def whole(cells: Cells) -> pa.Array:
    """An array of whole numbers."""
    return _numbers(np.array(cells, np.int64), pa.int64())


def floats(cells: Cells) -> pa.Array:
    """An array of floats."""
    return _numbers(np.array(cells, np.float64), pa.float64())


def lists(of: Callable[[Cells], pa.Array]) -> Callable[[Cells], pa.Array]:
    """What makes an array of lists; None is null."""

    def made(cells: Cells) -> pa.Array:
        offsets = _offsets([len(cell or ()) for cell in cells])
        inner = of(list(chain.from_iterable(cell or () for cell in cells)))
        known = np.packbits([cell is not None for cell in cells], bitorder="little")
        buffers = [pa.py_buffer(known.tobytes()), pa.py_buffer(offsets)]
        return pa.Array.from_buffers(pa.large_list(inner.type), len(cells), buffers, children=[inner])

    return made


def bits(array: pa.BooleanArray) -> NDArray[np.bool_]:
    """`(cells,)`: the truth values of an array without nulls."""
    packed = np.frombuffer(array.buffers()[1], np.uint8)
    start = array.offset
    return np.unpackbits(packed, count=start + len(array), bitorder="little")[start:].view(np.bool_)


def _offsets(lengths: Sequence[int]) -> bytes:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64).tobytes()


def _numbers(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])
