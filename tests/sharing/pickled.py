"""Pickles made by hand: what no library writes, and what somebody would who means harm."""

import io
import os
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

PROTOCOL = b"\x80\x02"


class Runs:
    """Runs a command when it is unpickled in the way that `torch.load` had until 2.6."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


class WithAttributes:
    """A mapping that says of itself, where it is unpickled, that there is nothing in it."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self.entries = entries

    def __reduce__(self) -> tuple[Any, ...]:
        attributes = dict.fromkeys(("items", "keys", "values", "get"), torch.Size)
        return OrderedDict, (), attributes, None, iter(self.entries.items())


def saved(value: object) -> bytes:
    """What `torch.save` writes of a value."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def archived(value: object, change: Callable[[str, bytes], bytes | None], packed: bool = False) -> bytes:
    """What `torch.save` writes of a value, with other members.

    Args:
        value: The value.
        change: Takes the name and the bytes of each member, gives other bytes, or None where it is left out.
        packed: Whether the members are compressed.
    """
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(saved(value))) as before, zipfile.ZipFile(file, "w", method) as after:
        for name in before.namelist():
            if (data := change(name, before.read(name))) is not None:
                after.writestr(name, data)
    return file.getvalue()


def shared(levels: int) -> bytes:
    """A mapping under a key of ten to the power of `levels` numbers, each level ten times the one inside it.

    It takes no memory, and forever to hash.
    """
    inside = b"".join(b"(" + 10 * (b"h" + bytes([level])) + b"tq" + bytes([level + 1]) for level in range(levels))
    return PROTOCOL + b"K\x01q\x00" + inside + b"}h" + bytes([levels]) + b"K\x01s."


def reserving(size: int) -> bytes:
    """An array of zeros, of any size in a few bytes."""
    return PROTOCOL + b"cbuiltins\nbytearray\n\x8a\x08" + size.to_bytes(8, "little") + b"\x85R."


def put(folder: Path, name: str, data: bytes) -> Path:
    """A file in a folder that is made for it; the folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder
