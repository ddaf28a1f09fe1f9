"""What worker processes send: many tensors as few, because each one that is sent by itself costs a file of its own.

torch hands a tensor to another process as a shared memory file with an open descriptor. A row of a table is a few small
tensors, so that a batch took hundreds of files, and longer on its way than in the making. Here all tensors of
one type lie behind one another in one, and the rest travels as bytes in another: a message is then so short that it
never waits for its reader, and a worker whose reader has died can end.

What is unpacked comes from a process that this one started, and from nowhere else.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch import Tensor

Place = tuple[torch.dtype, int, tuple[int, ...]]
"""Where a tensor lies: among those of its type, behind how many numbers, and its shape."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Anything that can be pickled, with the tensors in it taken out.

    Args:
        rest: It, pickled, with places where tensors were.
        tensors: The numbers of all tensors, by type.
    """

    rest: UInt8[Tensor, "bytes"]
    tensors: Mapping[torch.dtype, Shaped[Tensor, "numbers"]]


@dataclass
class _Packed:
    """Numbers of one type that are put in one after another."""

    pieces: list[Tensor] = field(default_factory=list)
    length: int = 0


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.packed: dict[torch.dtype, _Packed] = {}

    def persistent_id(self, obj: Any) -> Place | None:
        """Where a tensor lies; None of everything else."""
        if type(obj) is not Tensor:
            return None
        packed = self.packed.setdefault(obj.dtype, _Packed())
        place = obj.dtype, packed.length, tuple(obj.shape)
        packed.pieces.append(obj.detach().reshape(-1))
        packed.length += obj.numel()
        return place


class _Opener(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensors: Mapping[torch.dtype, Tensor]) -> None:
        super().__init__(file)
        self._tensors = tensors

    def persistent_load(self, pid: Place) -> Tensor:
        """The tensor that lies in a place."""
        dtype, start, shape = pid
        return self._tensors[dtype][start : start + torch.Size(shape).numel()].view(shape)


def pack(content: Any) -> Parcel:
    """Packs something to be sent."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump(content)
    rest = torch.from_numpy(np.frombuffer(file.getbuffer(), np.uint8))
    return Parcel(rest, {dtype: torch.cat(each.pieces) for dtype, each in packer.packed.items()})


def unpack(parcel: Parcel) -> Any:
    """What was packed; its tensors are views of those in the parcel, and nothing is copied."""
    return _Opener(io.BytesIO(parcel.rest.numpy().tobytes()), parcel.tensors).load()
