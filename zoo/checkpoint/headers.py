"""Headers of safetensors files, read with limits of our own and compared with the file before torch sees it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import CorruptError

MOST_BYTES = 8 << 20
"""Bytes of a header, at most. The format allows 100 MB, which the library takes 25 s and 600 MB to read."""

MOST_TENSORS = 100_000
"""Tensors of a file, at most."""

MOST_DIMENSIONS = 64
"""Dimensions of a tensor, at most: torch has no more either, and a product of very many takes minutes."""

LONGEST_NAME = 512
"""Characters of a tensor's name, at most."""

BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 1),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}
"""How many bytes a number of each type takes. The format has types of 4 and 6 bits too, which torch has not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a header tells of a tensor.

    Args:
        dtype: Its type, as the format calls it: `F32`.
        shape: Its shape.
        start: Where it begins, in bytes behind the header.
        stop: Where it ends.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_header(path: Path) -> dict[str, Entry]:
    """What the header of a file tells of each tensor, which is then the whole truth: the entries fill the file.

    Raises:
        CorruptError: It is no whole safetensors file, or its header is larger than any that zoo reads.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little") if size >= 8 else 0
            if length > MOST_BYTES:
                raise _Wrong(f"its header would have {length:,} bytes, and {MOST_BYTES:,} are read at most")
            if size < 8 or length < 2 or length > size - 8:
                raise _Wrong(f"it has {size:,} bytes, fewer than its header needs")
            entries = _entries(file.read(length))
        _check_places(entries, size - 8 - length)
    except _Wrong as error:
        raise CorruptError(f"`{path}` is no whole safetensors file: {error}") from None
    except OSError as error:
        raise CorruptError(f"`{path}` cannot be read: {error.strerror}") from None
    return entries


def check_name(name: object) -> str:
    """The name of a tensor, if it can be one.

    Raises:
        ValueError: It is too long, or holds characters of a path or of a terminal's language.
    """
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"a tensor's name has 1 to {LONGEST_NAME} characters")
    if not name.isprintable() or "\\" in name or name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"{name!r} is no name of a tensor")
    return name


class _Wrong(Exception):
    """What is wrong with a file, without its name."""


def _entries(header: bytes) -> dict[str, Entry]:
    if not header.startswith(b"{"):
        raise _Wrong("its header is no JSON object")
    try:
        told = json.loads(header, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"its header is no JSON that can be read ({error})") from None
    metadata = told.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(each, str) for each in metadata.values()):
        raise _Wrong("the metadata of its header are no texts")
    if len(told) > MOST_TENSORS:
        raise _Wrong(f"it has {len(told):,} tensors, and {MOST_TENSORS:,} are read at most")
    return {_checked_name(name): _entry(name, each) for name, each in told.items()}


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping of a JSON object, for `json.loads`.

    Raises:
        ValueError: A key stands in it twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _checked_name(name: str) -> str:
    try:
        return check_name(name)
    except ValueError as error:
        raise _Wrong(str(error)) from None


def _entry(name: str, told: Any) -> Entry:
    """What is told of a tensor, if its type, its shape and its place are such, and agree."""
    if not isinstance(told, dict) or told.keys() != {"dtype", "shape", "data_offsets"}:
        raise _Wrong(f"`{name}` has no type, shape and place")
    dtype, shape, place = told["dtype"], told["shape"], told["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BYTES:
        raise _Wrong(f"`{name}` has the type {str(dtype)[:40]!r}, which is none")
    if not _naturals(shape) or len(shape) > MOST_DIMENSIONS or not _naturals(place) or len(place) != 2:
        raise _Wrong(f"`{name}` has a shape or a place that is none")
    size = math.prod(shape) * BYTES[dtype]
    if place[1] - place[0] != size:
        raise _Wrong(f"`{name}` would take {size:,} bytes and has {place[1] - place[0]:,}")
    return Entry(dtype, tuple(shape), *place)


def _naturals(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(each) is int and 0 <= each < 1 << 63 for each in numbers)


def _check_places(entries: Mapping[str, Entry], size: int) -> None:
    """Looks whether the tensors fill the file, one after the other."""
    end = 0
    for name, each in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if each.start != end:
            raise _Wrong(f"`{name}` does not begin where the tensor before it ends")
        end = each.stop
    if end != size:
        raise _Wrong(f"its tensors take {end:,} bytes, and it has {size:,} of them")
