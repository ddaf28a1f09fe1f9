"""The weights of a run: in one file, or above 5 GB in shards with an index; what is tied is stored once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.delta import DELTA
from zoo.checkpoint.shards import INDEX, SINGLE
from zoo.checkpoint.source import Source
from zoo.checkpoint.tensors import digest, write_tensors
from zoo.checkpoint.verify import ADVICE, section
from zoo.errors import CorruptError, DigestError, UsageError
from zoo.files import json_text

MOST = 5 << 30
"""Bytes of tensors in a file; one that is larger by itself has a file of its own."""


def write_weights(folder: Path, tensors: Mapping[str, Tensor], most: int = MOST) -> dict[str, str]:
    """Writes tensors into a new folder.

    Args:
        folder: Where.
        tensors: By name.
        most: Bytes of a file.

    Returns:
        Of each tensor that is another one under a second name, that other's name: it is not in the files.
    """
    aliases = tied_names(tensors)
    stored = _apart({name: each for name, each in tensors.items() if name not in aliases})
    shards = list(_shards(stored, most))
    if len(shards) < 2:
        write_tensors(folder / SINGLE, stored)
        return aliases
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_tensors(folder / name, shard)
        places |= dict.fromkeys(shard, name)
    size = sum(each.nbytes for each in stored.values())
    (folder / INDEX).write_text(json_text({"metadata": {"total_size": size}, "weight_map": places}), encoding="utf-8")
    return aliases


def run_weights(run: Source, lock: Mapping[str, Any]) -> dict[str, Tensor]:
    """All tensors of a run, mapped from its files.

    Args:
        run: Where the files are.
        lock: The run's lock.

    Raises:
        UsageError: The run has no weights.
        CorruptError: They, or what the lock tells of them, are damaged.
    """
    if run.path(DELTA) is not None and run.path(SINGLE) is None and run.path(INDEX) is None:
        raise UsageError(f"{run} is shared as what differs from its base; `zoo pull` makes it whole: name that folder")
    return with_aliases(run.tensors([SINGLE]), lock, str(run))


def with_aliases(stored: Mapping[str, Tensor], lock: Mapping[str, Any], run: str) -> dict[str, Tensor]:
    """The tensors of a run's files, and those that are others under a second name.

    Args:
        stored: What the files hold.
        lock: The run's lock.
        run: What messages call the run.

    Raises:
        CorruptError: The lock tells of a tensor that is not there, or is there already.
    """
    aliases = lock.get("aliases", {})
    if not isinstance(aliases, dict):
        raise CorruptError(f"the zoo.lock of {run} has no mapping `aliases`")
    for alias, name in aliases.items():
        if alias in stored or not isinstance(name, str) or name not in stored:
            raise CorruptError(f"the zoo.lock of {run} tells that `{alias}` is `{name}`; its files say otherwise")
    return {**stored, **{alias: stored[name] for alias, name in aliases.items()}}


def check_tensors(tensors: Mapping[str, Tensor], lock: Mapping[str, Any], run: str, prefix: str = "") -> None:
    """Compares tensors with the lock of the run that they belong to.

    Args:
        tensors: By the names that they have behind the prefix.
        lock: The run's lock.
        run: What messages call the run.
        prefix: What their names in the run begin with.

    Raises:
        CorruptError: The lock is damaged.
        DigestError: One is not what was written, or was never written.
    """
    wanted = section(lock, "tensors", f"the zoo.lock of {run}")
    for name, tensor in tensors.items():
        if wanted.get(prefix + name) != digest(tensor):
            raise DigestError(f"{run}: `{prefix}{name}` does not have the digest that zoo.lock tells; {ADVICE}")


def tied_names(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Of each tensor that is one before it under another name, that one's name."""
    first: dict[tuple[Any, ...], str] = {}
    found = {}
    for name, each in tensors.items():
        if each.numel():
            place = (each.untyped_storage().data_ptr(), each.storage_offset(), each.shape, each.stride(), each.dtype)
            known = first.setdefault(place, name)
            if known != name:
                found[name] = known
    return found


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a copy of each that begins where one before it does: a file holds each by itself."""
    seen: set[tuple[int, int]] = set()
    result = {}
    for name, each in tensors.items():
        place = (each.untyped_storage().data_ptr(), int(each.storage_offset()))
        result[name] = each.clone() if place in seen and each.numel() else each
        seen.add(place)
    return result


def _shards(tensors: Mapping[str, Tensor], most: int) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    size = 0
    for name, each in tensors.items():
        if shard and size + each.nbytes > most:
            yield shard
            shard, size = {}, 0
        shard[name] = each
        size += each.nbytes
    yield shard
