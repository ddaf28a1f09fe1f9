"""The weights of a run folder as bytes, without torch: which files they are in, and what the lock tells of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.checkpoint.raw import Raw, map_file
from zoo.checkpoint.shards import INDEX, SINGLE, shard_names
from zoo.checkpoint.verify import ADVICE, section
from zoo.errors import CorruptError, DigestError

LOCK = "zoo.lock"


def raw_weights(run: Path) -> dict[str, Raw]:
    """The tensors that stand in a run's files, those that are tied once.

    Raises:
        CorruptError: A file is missing or damaged.
    """
    if (run / SINGLE).is_file():
        return map_file(run / SINGLE)
    if not (run / INDEX).is_file():
        raise CorruptError(f"`{run}` has no weights: neither {SINGLE} nor {INDEX} is there")
    tensors: dict[str, Raw] = {}
    for file, names in shard_names(run / INDEX).items():
        found = map_file(run / file)
        if found.keys() != names:
            raise CorruptError(f"`{run / file}` does not hold the tensors that {INDEX} says are in it")
        tensors |= found
    return tensors


def check_digests(tensors: Mapping[str, Raw], lock: Mapping[str, Any], run: str) -> None:
    """Compares all tensors with a lock: none is another one, missing, or too many.

    Args:
        tensors: Those in the files.
        lock: The run's lock.
        run: What messages call the run.

    Raises:
        CorruptError: The lock is damaged.
        DigestError: They differ.
    """
    told = check_complete(tensors, lock, run)
    for name, each in tensors.items():
        if each.digest() != told[name]:
            raise DigestError(f"{run}: `{name}` does not have the digest that zoo.lock tells; {ADVICE}")


def check_complete(tensors: Mapping[str, Raw], lock: Mapping[str, Any], run: str) -> Mapping[str, Any]:
    """Compares the names of tensors with those in a lock, whose digests it gives.

    Args:
        tensors: Those in the files.
        lock: The run's lock.
        run: What messages call the run.

    Raises:
        CorruptError: The lock is damaged.
        DigestError: They differ.
    """
    told = section(lock, "tensors", f"the zoo.lock of {run}")
    aliases = section({"aliases": {}, **lock}, "aliases", f"the zoo.lock of {run}")
    if lacking := sorted(told.keys() - tensors.keys() - aliases.keys()):
        raise DigestError(f"{run} lacks {_some(lacking)}, which zoo.lock tells of; {ADVICE}")
    if further := sorted(tensors.keys() - told.keys()):
        raise DigestError(f"{run} holds {_some(further)}, which zoo.lock does not tell of; {ADVICE}")
    return told


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(f"`{name}`" for name in names[:10]) + more
