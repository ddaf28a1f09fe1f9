"""What torch reads of a pickle with `weights_only`: the tensors of a state_dict, or why it is none."""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.checkpoint.headers import check_name
from zoo.checkpoint.tensors import as_raw
from zoo.errors import CorruptError

NESTED = ("state_dict", "model_state_dict", "model", "module")
"""Where in a checkpoint of a training its weights stand."""

_GLOBAL = re.compile(r"GLOBAL (\S{1,200})\S* (?:was not|whose)")


def read_pickle(path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a pickled state_dict, or of one that stands in a checkpoint, and what else there is, in words.

    Raises:
        CorruptError: There is more in it than tensors and plain values, it is damaged, or holds no weights.
    """
    try:
        loaded, sizes = _load(path)
    except CorruptError:
        raise
    except Exception as error:
        raise CorruptError(f"`{path}` cannot be read as weights alone: {reason(error)}") from None
    state, left = _state(loaded, path)
    tensors = {name: _plain(value, name, path) for name, value in state.items()}
    if sizes is not None:
        _check_storages(tensors, sizes, path)
    return {name: each.resolve_conj().resolve_neg() for name, each in tensors.items()}, left


def _load(path: Path) -> tuple[Any, Counter[int] | None]:
    """What is pickled, and how many bytes its storages have, where the file is an archive."""
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    sizes = _member_sizes(path) if zipped else None
    # Mapped, weights larger than memory can be read; what torch then does not compare with the archive is done here.
    return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped), sizes


def _member_sizes(path: Path) -> Counter[int]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = {each.filename for each in members}
    if any(name.endswith("/constants.pkl") for name in names):
        raise CorruptError(f"`{path}` is a program of TorchScript, and no weights alone")
    if len(names) < len(members) or any(each.compress_type != zipfile.ZIP_STORED for each in members):
        raise CorruptError(
            f"`{path}` is an archive that torch did not write: files in it are packed, or stand in it twice"
        )
    return Counter(each.file_size for each in members if "/data/" in each.filename)


def _check_storages(tensors: Mapping[str, Tensor], sizes: Counter[int], path: Path) -> None:
    """Every storage is a whole member of the archive; what a pickle tells of its size is else taken on trust."""
    storages = {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in tensors.values()}
    if Counter(size for size in storages.values() if size) - sizes:
        raise CorruptError(f"`{path}` is damaged: its tensors have other sizes than the archive has numbers for")


def _state(loaded: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    """What holds the weights in what was pickled, and words for the rest.

    The methods are those of the class: a pickle can give an object attributes that stand before them.
    """
    if not isinstance(loaded, dict):
        raise CorruptError(f"`{path}` holds no weights by name, but one {type(loaded).__name__}")
    for key in NESTED:
        inner = dict.get(loaded, key)
        if isinstance(inner, dict) and any(isinstance(each, Tensor) for each in dict.values(inner)):
            rest = [_told(name) for name in dict.keys(loaded) if name != key]
            return _named(inner), [*rest, *_others(inner)]
    if not (state := _named(loaded)):
        inside = ", ".join([_told(name) for name in dict.keys(loaded)][:8]) or "nothing"
        raise CorruptError(f"`{path}` has no tensors at its top or under {', '.join(NESTED)}; it holds {inside}")
    return state, list(_others(loaded))


def _named(entries: dict[Any, Any]) -> dict[str, Tensor]:
    return {name: each for name, each in dict.items(entries) if isinstance(name, str) and isinstance(each, Tensor)}


def _others(entries: dict[Any, Any]) -> Iterator[str]:
    return (
        _told(name) for name, each in dict.items(entries) if not (isinstance(name, str) and isinstance(each, Tensor))
    )


def _told(name: Any) -> str:
    return name[:80] if isinstance(name, str) else f"({type(name).__name__})"


def _plain(tensor: Tensor, name: str, path: Path) -> Tensor:
    """The numbers of a tensor that is one and nothing else, without attributes that a pickle may give it."""
    kinds = (Tensor, torch.nn.Parameter)
    if type(tensor) not in kinds or tensor.layout is not torch.strided or tensor.is_nested or tensor.is_quantized:
        raise CorruptError(
            f"`{path}`: `{name[:80]}` is sparse, quantized or nested; safetensors hold plain tensors alone"
        )
    if tensor.device.type != "cpu":
        raise CorruptError(f"`{path}`: `{name[:80]}` has a shape and no numbers")
    bare = torch.Tensor.detach(tensor)
    try:
        check_name(name)
        as_raw(bare)
    except ValueError as error:
        raise CorruptError(f"`{path}`: `{name[:80]}`: {error}") from None
    return bare


def reason(error: Exception) -> str:
    """Why torch does not read it, without its advice to read it in an unsafe way."""
    told = str(error).partition("WeightsUnpickler error: ")[2] or str(error)
    if found := _GLOBAL.search(told):
        return (
            f"it wants `{found[1]}` to be called, which could run code; ask whoever made it for its state_dict alone, "
            "or for safetensors"
        )
    if isinstance(error, MemoryError) or "allocate memory" in told:
        return "it asks for more memory than weights of its size need"
    if isinstance(error, EOFError):
        return "it ends too soon"
    line = next((line for line in told.splitlines() if line.strip()), "").partition(" In PyTorch")[0]
    return f"{type(error).__name__}: {line[:200]}".removesuffix(": ")
