"""Tensors in safetensors files: read as maps of the file, written beside and renamed, and their digests."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.checkpoint.headers import read_header
from zoo.checkpoint.raw import TYPES, Raw, write_file
from zoo.errors import CorruptError

_FORMAT = {name: dtype for dtype, name in TYPES.items()}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, mapped and not read: their bytes are touched when they are used.

    Raises:
        CorruptError: It is no whole safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    read_header(path)
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, ValueError) as error:
        raise CorruptError(f"`{path}` is no whole safetensors file: {error}") from None
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes tensors to a file: the same bytes for the same tensors.

    Args:
        path: The file; nothing may be there that is still wanted.
        tensors: By name, on any device.

    Raises:
        ValueError: One is of a type that the format has not.
    """
    write_file(path, {name: as_raw(each) for name, each in tensors.items()})


def as_raw(tensor: Tensor) -> Raw:
    """A tensor as the bytes that a file holds of it.

    Raises:
        ValueError: It is of a type that the format has not.
    """
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in _FORMAT:
        raise ValueError(f"safetensors files hold no tensors of type {name}")
    return Raw(_FORMAT[name], tuple(tensor.shape), lambda: _bytes(tensor))


def _bytes(tensor: Tensor) -> memoryview:
    data = tensor.detach().cpu().contiguous()
    return data.reshape(-1).view(torch.uint8).numpy().data if data.numel() else memoryview(b"")


def align(module: nn.Module) -> None:
    """Moves tensors that do not start at a multiple of 16 bytes, as most files leave them, to memory where they do.

    Some kernels (a matrix times one vector) sum in another order where their operands are not aligned, so that the same
    weights gave two answers: one mapped from a file, the other from memory.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.device.type == "cpu" and tensor.data_ptr() % 16:
            tensor.data = tensor.data.clone()


def digest(tensor: Tensor) -> str:
    """SHA-256 over a tensor's type, shape and bytes, in hexadecimal."""
    return as_raw(tensor).digest()
