"""A spec under a lock: its weights at the commits that the lock tells, and whatever is not as it tells any more."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.checkpoint.source import Source
from zoo.checkpoint.verify import changed_versions, read_json, section
from zoo.errors import DigestError, PluginError, UsageError
from zoo.spec.sections import Spec

LOCK = "zoo.lock"
RENEW = "build it without --locked, and take the zoo.lock of that"


def read_lock(spec: Path) -> dict[str, Any]:
    """The lock beside a spec.

    Raises:
        UsageError: There is none.
        CorruptError: It is damaged.
    """
    path = spec.parent / LOCK
    if not path.is_file():
        raise UsageError(
            f"there is no `{path}`: a lock stands beside its spec; zoo build writes one into the run's folder, where "
            "the run's own zoo.yaml stands too"
        )
    return read_json(path)


def under_lock(spec: Spec, lock: Mapping[str, Any]) -> Spec:
    """The spec, to be built from the weights that a lock tells.

    Raises:
        CorruptError: It is no lock of a run.
    """
    return replace(spec, pins=section(lock, "weights", LOCK))


def check_drift(spec: Spec, lock: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses versions, tables and a seed that are not those that a lock tells of.

    Args:
        spec: The spec.
        lock: Its lock.
        now: What tells its tables from others, as `fingerprints` gives it.

    Raises:
        DigestError: A table or the seed is another.
        PluginError: A plugin or library has another version; there is a line for pip.
    """
    if drifted := [*data_drift(lock, now), *_seed_drift(spec, lock)]:
        raise DigestError(f"{'; '.join(drifted)}: not what {LOCK} tells; {RENEW}")
    if changed := list(changed_versions(lock)):
        told = ", ".join(f"{name} {here or 'missing'}" for name, _, here in changed)
        wanted = " ".join(f'"{name}=={before}"' for name, before, _ in changed)
        raise PluginError(f"{LOCK} was written with other versions than are here ({told}): pip install {wanted}")


def data_drift(lock: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A remark on each table that is not the one that a lock tells of; they come in the same order."""
    before = list(section(lock, "data", LOCK).values())
    if len(before) != len(now):
        yield f"the spec names {len(now)} tables and not {len(before)}"
        return
    for (name, found), told in zip(now.items(), before, strict=True):
        if found != told:
            yield f"`{name}` is another table" if found else f"`{name}` is not there"


def _seed_drift(spec: Spec, lock: Mapping[str, Any]) -> Iterator[str]:
    if spec.train.seed != lock.get("seed"):
        yield f"`train.seed` is {spec.train.seed} and not {lock.get('seed')}"


def check_weights(sources: Mapping[str, Source], pins: Mapping[str, Mapping[str, Any]]) -> None:
    """Compares the files that the parts of a model came from with those that a lock tells of.

    Args:
        sources: Where the weights came from, by part.
        pins: What the lock tells of them.

    Raises:
        DigestError: They are others.
    """
    if sources.keys() != pins.keys():
        odd = sorted(sources.keys() ^ pins.keys())
        raise DigestError(f"{', '.join(odd)}: weights in the spec or in {LOCK} alone; {RENEW}")
    for part, source in sources.items():
        told = pins[part].get("files", {})
        for name, digest in source.digests().items():
            if told.get(name) != digest:
                raise DigestError(f"{part}: `{name}` of {source} is not the file that {LOCK} tells of; {RENEW}")
