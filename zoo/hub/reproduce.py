"""`zoo.reproduce`: a run is trained again as its lock tells, and its scores are compared with those of then."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.lock import fingerprint, tables
from zoo.checkpoint.locked import tables_told, under_lock
from zoo.checkpoint.verify import check_file, check_plugins, read_json, read_lock, section, version_remarks
from zoo.errors import DigestError, UsageError
from zoo.hub.diff import METRICS, SPEC, Score, measured
from zoo.hub.pull import pull_small
from zoo.hub.raw_run import LOCK
from zoo.hub.reference import read_reference
from zoo.spec.load import as_spec
from zoo.spec.paths import moved, with_tables_named
from zoo.spec.sections import Spec
from zoo.spec.sources import MEMORY, is_local, locate
from zoo.training.progress import Silent, Watch
from zoo.training.train import train

ADVICE = "say with --data in which folder it is"


@dataclass(frozen=True)
class Reproduced:
    """What came of training a run again.

    Args:
        folder: The run that was trained now.
        same_weights: Whether its tensors are those of the first run, bit by bit.
        scores: Every metric of the whole model: as the first run has it, and now.
        remarks: What is not as it was: versions of libraries and plugins.
    """

    folder: Path
    same_weights: bool
    scores: tuple[Score, ...]
    remarks: tuple[str, ...]

    @property
    def outside(self) -> tuple[Score, ...]:
        """The metrics that are outside of the first run's 95 % interval now."""
        return tuple(each for each in self.scores if self.within(each) is False)

    @staticmethod
    def within(score: Score) -> bool | None:
        """Whether a metric is in the first run's interval now; None where that had none."""
        if score.before is None or score.before[1] is None or score.before[2] is None:
            return None
        value = None if score.after is None else score.after[0]
        return value is not None and score.before[1] <= value <= score.before[2]


def reproduce(
    run: str | Path,
    output: str | Path | None = None,
    *,
    data: Sequence[str | Path] = (".",),
    resume: bool = False,
    watch: Watch | None = None,
) -> Reproduced:
    """Trains a run again: the same spec and seed, the weights at the commits that its lock tells, the same tables.

    A table is known by its SHA-256, whatever it is called here. Other versions of libraries are told, and not refused.
    Of a run folder its spec, lock and scores are enough, and of a shared run its weights are not fetched. Nobody is
    told of the training, whatever `train.track` says.

    Args:
        run: A run folder, or a shared run, whose tables are looked for in `data` alone.
        output: Folder of the new run; `runs/<name>-reproduced` unless given.
        data: Folders in which its tables are looked for.
        resume: Go on where an interrupted one stands.
        watch: Hears of every step and epoch.

    Raises:
        UsageError: It was never measured, or one of its tables is not there.
        DigestError: Spec, a table or pretrained weights are not those that it was made from, or it was measured on
            other rows.
        ConflictError: Something is in the folder already.
        ZooError: It cannot be read, or fetched, or trained.
    """
    with passing_folder("zoo-reproduce") as beside:
        here = Path(run).is_dir()
        remarks = () if here else pull_small(read_reference(str(run)), beside)
        first = Path(run) if here else beside
        lock, spec, before = _told(first, f"`{run}`")
        folder = Path(output) if output is not None else Path("runs") / f"{spec.name}-reproduced"
        found = replace(_with_tables(spec, lock, [first] if here else [], data), train=replace(spec.train, track=None))
        heard, remarks = watch or Silent(), (*remarks, *version_remarks(lock))
        for each in remarks:
            heard.remark(each)
        train(under_lock(found, lock), folder, resume=resume, watch=heard)
        split = read_json(first / METRICS).get("split")
    same = section(lock, "tensors", LOCK) == read_json(folder / LOCK)["tensors"]
    now = read_json(folder / METRICS).get("split") if (folder / METRICS).is_file() else None
    if now != split:
        raise DigestError(
            f"`{run}` was measured on {str(split)[:80]!r}, and `{folder}` on {now!r}: they cannot be compared"
        )
    after, whole = measured(folder), "+".join(spec.inputs)
    scores = (Score(*key, told, after.get(key)) for key, told in before.items() if key[0] == whole)
    return Reproduced(folder, same, tuple(scores), remarks)


Scores = Mapping[tuple[str, str, str], tuple[float | None, ...]]


def _told(folder: Path, run: str) -> tuple[dict[str, Any], Spec, Scores]:
    """Lock, spec and scores of a run, which belong together.

    Raises:
        UsageError: It is none, or has no scores of the whole model.
        DigestError: The spec is not the one that the lock tells of.
    """
    if not (folder / LOCK).is_file() or not (folder / SPEC).is_file():
        raise UsageError(f"{run} is no run: it has no {LOCK} or no {SPEC}")
    lock = read_lock(folder / LOCK)
    check_file(folder / SPEC, SPEC, lock)
    check_plugins(run, section(lock, "plugins", f"the zoo.lock of {run}"))
    spec, scores = as_spec(folder / SPEC), measured(folder)
    if not any(subset == "+".join(spec.inputs) for subset, _, _ in scores):
        raise UsageError(f"{run} has no scores of the whole model in {METRICS} to compare with")
    return lock, spec, scores


def _with_tables(spec: Spec, lock: Mapping[str, Any], own: Sequence[Path], folders: Sequence[str | Path]) -> Spec:
    """The spec, from the working folder, with the tables that the lock tells of where they are on this machine."""
    names, told = list(dict.fromkeys(tables(spec))), tables_told(lock)
    if len(names) != len(told):
        raise DigestError(f"zoo.lock tells of {len(told)} tables, and the spec of {len(names)}")
    places = {name: _found(name, each, own, folders) for name, each in zip(names, told, strict=True)}
    named = with_tables_named(spec, lambda name: places[name])
    return replace(moved(replace(named, data=spec.data), Path()), data=named.data)


def _found(name: str, told: Mapping[str, Any], own: Sequence[Path], folders: Sequence[str | Path]) -> str:
    """Where a table is, from the working folder: the file, files or folder that has the digest told of it."""
    if not told or name.startswith(MEMORY):
        raise UsageError(f"`{name}`: the lock does not tell what this table was, so it cannot be found again")
    if not is_local(name):
        return name
    for place in _candidates(name, told, own, folders):
        if _is(place, told):
            return os.path.relpath(place)
    looked = ", ".join(f"`{each}`" for each in folders)
    told_of = f"{told.get('bytes')} bytes with the SHA-256 {str(told.get('sha256'))[:16]}..."
    raise UsageError(f"`{name}`: no table of {told_of} is in {looked}; {ADVICE}")


def _is(place: Path, told: Mapping[str, Any]) -> bool:
    """Whether this is the table: what has another size, or is no ordinary file, is not read."""
    try:
        files = locate(place).files()
        if not all(each.is_file() for each in files) or sum(each.stat().st_size for each in files) != told.get("bytes"):
            return False
        return fingerprint(place) == told
    except (UsageError, OSError, ValueError):
        return False


def _candidates(
    name: str, told: Mapping[str, Any], own: Sequence[Path], folders: Sequence[str | Path]
) -> Iterator[Path]:
    """Places where a table may be: where it was, under its name in the folders, then every file in them of its size."""
    yield from (folder / name for folder in own)
    parts = [part for part in Path(name).parts if part not in ("..", "/")]
    for each in map(Path, folders):
        yield from (each.joinpath(*parts[start:]) for start in range(len(parts)))
    for each in map(Path, folders):
        for parent, _, files in os.walk(each):
            yield from (Path(parent, file) for file in sorted(files))
