"""A spec under a lock: its weights at the commits that the lock tells, and whatever is not as it tells any more."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.checkpoint.dataset import at_commit
from zoo.checkpoint.lock import fingerprints, model_digest, tables, versions
from zoo.checkpoint.source import Source
from zoo.checkpoint.verify import changed_versions, check_format, read_json, section
from zoo.errors import CorruptError, DigestError, PluginError, UsageError
from zoo.spec.paths import with_tables_named
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
    lock = read_json(path)
    check_format(lock, f"`{path}`")
    return lock


def under_lock(spec: Spec, lock: Mapping[str, Any]) -> Spec:
    """The spec, to be built from the weights, and the data sets of the Hub, that a lock tells, at its commits.

    Raises:
        CorruptError: It is no lock of a run.
    """
    pins = records(section(lock, "weights", LOCK))
    told = tables_told(lock)
    names = list(dict.fromkeys(tables(spec)))
    commits = {name: each.get("commit") for name, each in zip(names, told, strict=False)}
    return replace(with_tables_named(spec, lambda name: at_commit(name, commits.get(name))), pins=pins)


def records(weights: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a lock tells of the weights of each part: where they came from, and digests by name.

    Raises:
        CorruptError: It tells of something else.
    """
    for part, record in weights.items():
        files = record.get("files", {}) if isinstance(record, dict) else None
        if not isinstance(files, dict) or not all(isinstance(each, str) for each in files.values()):
            raise CorruptError(f"{LOCK} does not tell where the weights of `{part[:80]}` came from")
    return dict(weights)


def tables_told(lock: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a lock tells of each table, in the order of the spec.

    Raises:
        CorruptError: It tells of something else.
    """
    told = list(section(lock, "data", LOCK).values())
    if not all(isinstance(each, dict) for each in told):
        raise CorruptError(f"{LOCK} does not tell what the tables were")
    return told


def check_drift(spec: Spec, lock: Mapping[str, Any]) -> None:
    """Refuses a model, versions, tables and a seed that are not those that a lock tells of.

    Args:
        spec: The spec, as `under_lock` gives it.
        lock: Its lock.

    Raises:
        DigestError: The parts, a table or the seed are others.
        PluginError: A plugin or library has another version; there is a line for pip.
        CorruptError: It is no lock of a run.
    """
    if drifted := [*_model_drift(spec, lock), *_data_drift(lock, fingerprints(spec)), *_seed_drift(spec, lock)]:
        raise DigestError(f"{'; '.join(drifted)}: not what {LOCK} tells")
    plugins = section(lock, "plugins", LOCK)
    section(lock, "libraries", LOCK)
    if further := [name for name in versions(spec)["plugins"] if name not in plugins]:
        raise DigestError(f"{LOCK} tells of no {', '.join(further)}, whose parts the spec names; {RENEW}")
    if changed := list(changed_versions(lock)):
        told = ", ".join(f"{name} {here or 'missing'}" for name, _, here in changed)
        wanted = " ".join(f'"{name}=={before}"' for name, before, _ in changed)
        raise PluginError(f"{LOCK} was written with other versions than are here ({told}): pip install {wanted}")


def _model_drift(spec: Spec, lock: Mapping[str, Any]) -> Iterator[str]:
    """A remark where inputs, fusion or heads are not those of the lock; old locks do not tell."""
    if "model" in lock and lock["model"] != model_digest(spec):
        yield "inputs, fusion or heads of the spec are others"


def _data_drift(lock: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A remark on each table that is not the one that a lock tells of; they come in the same order."""
    before = tables_told(lock)
    if len(before) != len(now):
        yield f"the spec names {len(now)} tables and not {len(before)}"
        return
    for (name, found), told in zip(now.items(), before, strict=True):
        if found != told:
            wrong = "is another table" if found else "is not there"
            yield f"`{name}` {wrong} (`zoo reproduce RUN --data FOLDER` finds a run's own, whatever it is called there)"


def _seed_drift(spec: Spec, lock: Mapping[str, Any]) -> Iterator[str]:
    if spec.train.seed != lock.get("seed"):
        yield f"`train.seed` is {spec.train.seed} and not {lock.get('seed')}"


def check_weights(sources: Mapping[str, Source], pins: Mapping[str, Mapping[str, Any]]) -> None:
    """Compares the files that the parts of a model came from with those that a lock tells of.

    Args:
        sources: Where the weights came from, by part.
        pins: What the lock tells of them, as `records` gives it.

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
                raise DigestError(f"{part}: `{name}` of {source} is not what {LOCK} tells of; {RENEW}")
