"""`zoo.reproduce`: a run is trained again as its lock tells, and its scores are compared with those of then."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import check_free
from zoo.checkpoint.lock import fingerprint, tables
from zoo.checkpoint.locked import under_lock
from zoo.checkpoint.verify import changed_versions, check_plugins, read_json, section
from zoo.errors import DigestError, UsageError
from zoo.hub.diff import METRICS, SPEC, Score, measured, run_folder
from zoo.hub.raw_run import LOCK
from zoo.spec.load import as_spec
from zoo.spec.sections import Spec
from zoo.spec.sources import is_local
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
        return tuple(each for each in self.scores if not _inside(each))


def reproduce(
    run: str | Path,
    output: str | Path | None = None,
    *,
    data: Sequence[str | Path] = (".",),
    watch: Watch | None = None,
) -> Reproduced:
    """Trains a run again: the same spec and seed, the weights at the commits that its lock tells, the same tables.

    A table is known by its SHA-256, whatever it is called here. Other versions of libraries are told, and not refused.
    Of a run folder its spec, lock and scores are enough.

    Args:
        run: A run folder, or a shared run.
        output: Folder of the new run; `runs/<name>-reproduced` unless given.
        data: Folders in which its tables are looked for.
        watch: Hears of every step and epoch.

    Raises:
        UsageError: It was never measured, or one of its tables is not there.
        DigestError: A table or pretrained weights are not those that it was made from.
        ConflictError: Something is in the folder already.
        ZooError: It cannot be read, or pulled, or trained.
    """
    remarks: list[str] = []
    with ExitStack() as stack:
        first = run_folder(run, stack, remarks)
        lock = read_json(first / LOCK)
        check_plugins(f"`{run}`", section(lock, "plugins", f"the zoo.lock of `{run}`"))
        before = measured(first)
        if not before:
            raise UsageError(f"`{run}` has no scores in {METRICS} to compare with; zoo build --locked makes it again")
        spec = as_spec(first / SPEC)
        folder = Path(output) if output is not None else Path("runs") / f"{spec.name}-reproduced"
        check_free(folder)
        train(under_lock(_with_tables(spec, lock, data), lock), folder, watch=watch or Silent())
    same = section(lock, "tensors", LOCK) == read_json(folder / LOCK)["tensors"]
    after, whole = measured(folder), "+".join(spec.inputs)
    scores = (Score(*key, told, after.get(key)) for key, told in before.items() if key[0] == whole)
    return Reproduced(folder, same, tuple(scores), (*remarks, *_remarks(lock)))


def _inside(score: Score) -> bool:
    """Whether a metric is in the first run's interval; one that had none says nothing."""
    if score.before is None or score.before[1] is None or score.before[2] is None:
        return True
    value = None if score.after is None else score.after[0]
    return value is not None and score.before[1] <= value <= score.before[2]


def _remarks(lock: Mapping[str, Any]) -> Iterator[str]:
    for name, before, here in changed_versions(lock):
        yield f"made with {name} {before}; {f'{here} is installed here' if here else 'it is not installed here'}"


def _with_tables(spec: Spec, lock: Mapping[str, Any], folders: Sequence[str | Path]) -> Spec:
    """The spec with the tables that the lock tells of, where they are on this machine."""
    names = list(dict.fromkeys(tables(spec)))
    told = list(section(lock, "data", LOCK).values())
    if len(names) != len(told):
        raise DigestError(f"zoo.lock tells of {len(told)} tables, and the spec of {len(names)}")
    places = {name: _found(name, each, spec.folder, folders) for name, each in zip(names, told, strict=True)}
    data = spec.data
    return replace(
        spec,
        data=replace(
            data,
            train=[replace(table, path=places[table.path]) for table in data.train],
            validation=places[data.validation] if isinstance(data.validation, str) else data.validation,
            test=None if data.test is None else places[data.test],
        ),
    )


def _found(name: str, told: Mapping[str, Any], folder: Path, folders: Sequence[str | Path]) -> str:
    """Where a table is: the file, files or folder that has the digest told of it."""
    if not told or name.startswith("memory:"):
        raise UsageError(f"`{name}`: the lock does not tell what this table was, so it cannot be found again")
    if not is_local(name):
        if fingerprint(name) != told:
            raise DigestError(f"`{name}` is not the data set that the lock tells of any more")
        return name
    for place in _candidates(name, told, folder, folders):
        if fingerprint(place) == told:
            return str(place.resolve())
    looked = ", ".join(f"`{each}`" for each in folders)
    told_of = f"{told.get('bytes')} bytes with the SHA-256 {str(told.get('sha256'))[:16]}..."
    raise UsageError(f"`{name}`: no table of {told_of} is in {looked}; {ADVICE}")


def _candidates(name: str, told: Mapping[str, Any], folder: Path, folders: Sequence[str | Path]) -> Iterator[Path]:
    """Places where a table may be: where it was, under its name in the folders, then every file in them of its size."""
    yield folder / name
    parts = [part for part in Path(name).parts if part not in ("..", "/")]
    for each in map(Path, folders):
        for start in range(len(parts)):
            yield each.joinpath(*parts[start:])
    for each in map(Path, folders):
        for parent, _, files in os.walk(each):
            for file in sorted(files):
                path = Path(parent, file)
                if path.is_file() and path.stat().st_size == told.get("bytes"):
                    yield path
