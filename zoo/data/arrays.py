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
        known = np.packbits(np.array([cell is not None for cell in cells], np.bool_), bitorder="little")
        buffers = [pa.py_buffer(known.tobytes()), pa.py_buffer(offsets)]
        return pa.Array.from_buffers(pa.large_list(inner.type), len(cells), buffers, children=[inner])

    return made


def bits(array: pa.BooleanArray) -> NDArray[np.bool_]:
    """`(cells,)`: the truth values of an array without nulls."""
    packed = np.frombuffer(array.buffers()[1], np.uint8)
    start = array.offset
    return np.unpackbits(packed, count=start + len(array), bitorder="little")[start:].view(np.bool_)


def simple(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column in a form of which Arrow takes cells: values for dictionaries, whole texts for views of them."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_dictionary(column.type):
        kind = _simple_type(column.type.value_type)
        column = pa.chunked_array([each.dictionary.cast(kind).take(each.indices) for each in column.chunks], kind)
    kind = _simple_type(column.type)
    return column if column.type == kind else column.cast(kind)


def _simple_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list(kind):
        return pa.list_(_simple_type(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_simple_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_simple_type(field.type)) for field in kind])
    return kind


def _offsets(lengths: Sequence[int]) -> bytes:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64).tobytes()


def _numbers(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])
