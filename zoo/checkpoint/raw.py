"""Tensors of safetensors files as bytes, without torch: mapped, digested, and written always the same."""

import hashlib
import json
import math
import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.checkpoint.headers import BYTES, Entry, read_header

TYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "I64": "int64",
    "U64": "uint64",
    "F64": "float64",
    "C64": "complex64",
}
"""Types by what the format calls them; the names are those of torch."""

START = 64
"""The first tensor starts at a multiple of so many bytes, so that mapped numbers are aligned."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A tensor as bytes.

    Args:
        dtype: Its type, as the format calls it: `F32`.
        shape: Its shape.
        data: Gives its bytes, in order, in one piece.
    """

    dtype: str
    shape: tuple[int, ...]
    data: Callable[[], memoryview]

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * BYTES[self.dtype]

    def digest(self) -> str:
        """SHA-256 over type, shape and bytes, in hexadecimal: that of `zoo.checkpoint.tensors.digest`."""
        sha = hashlib.sha256(f"{TYPES[self.dtype]} {list(self.shape)}\n".encode())
        sha.update(self.data())
        return sha.hexdigest()


def map_file(path: Path) -> dict[str, Raw]:
    """The tensors of a file, whose bytes are mapped when they are asked for.

    Raises:
        CorruptError: It is no whole safetensors file.
    """
    header = read_header(path)
    start = path.stat().st_size - max((each.stop for each in header.values()), default=0)
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def part(entry: Entry) -> Raw:
        return Raw(entry.dtype, entry.shape, lambda: mapped[start + entry.start : start + entry.stop])

    return {name: part(entry) for name, entry in header.items()}


def write_file(path: Path, tensors: Mapping[str, Raw]) -> None:
    """Writes a safetensors file: the same bytes for the same tensors, in whatever order they come.

    Wider types come first, as the library writes them, so that every tensor is aligned to its type.

    Args:
        path: The file; nothing may be there that is still wanted.
        tensors: By name.
    """
    ordered = sorted(tensors.items(), key=lambda item: (-BYTES[item[1].dtype], item[0]))
    header = json.dumps(dict(_header(ordered)), separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-(8 + len(header)) % START)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for _, each in ordered:
            file.write(each.data())


def _header(tensors: list[tuple[str, Raw]]) -> Iterator[tuple[str, object]]:
    yield "__metadata__", {"format": "pt"}
    end = 0
    for name, each in tensors:
        start, end = end, end + each.size
        yield name, {"dtype": each.dtype, "shape": list(each.shape), "data_offsets": [start, end]}
