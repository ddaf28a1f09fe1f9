"""Tensors in safetensors files: read as maps of the file, written beside and renamed, and their digests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.checkpoint.headers import read_header
from zoo.errors import CorruptError
from zoo.files import umask

_TYPES = {torch.int64: "I64", torch.int32: "I32", torch.bool: "BOOL", torch.bfloat16: "BF16", torch.uint8: "U8"}
SINGLE = "model.safetensors"


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
    """Writes tensors to a new file. Tensors that share memory are written once, under their first name.

    Args:
        path: The file; nothing may be there that is still wanted.
        tensors: By name, on any device.
    """
    from safetensors.torch import save_file

    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, path, metadata={"format": "pt", "alignment": " " * _missing(whole)})
    path.chmod(0o666 & ~umask())  # the library writes a file that its owner alone may read


def align(module: nn.Module) -> None:
    """Moves tensors that do not start at a multiple of 16 bytes, as most files leave them, to memory where they do.

    Some kernels (a matrix times one vector) sum in another order where their operands are not aligned, so that the same
    weights gave two answers: one mapped from a file, the other from memory.
    """
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.device.type == "cpu" and tensor.data_ptr() % 16:
            tensor.data = tensor.data.clone()


def _missing(tensors: Mapping[str, Tensor]) -> int:
    """How many characters the header of a file lacks so that the first tensor starts at a multiple of 64 bytes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt", "alignment": ""}}
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        start, end = end, end + tensor.nbytes
        dtype = _TYPES.get(tensor.dtype, "F32")
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    length = len(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())
    return -(8 + length) % 64


def digest(tensor: Tensor) -> str:
    """SHA-256 over a tensor's type, shape and bytes, in hexadecimal."""
    data = tensor.detach().cpu().contiguous()
    sha = hashlib.sha256(f"{str(data.dtype).removeprefix('torch.')} {list(data.shape)}\n".encode())
    if data.numel():
        sha.update(data.reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
