"""The folder of an unfinished training, beside that of its run: what goes on with `--resume`."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from zoo.checkpoint.folder import check_free
from zoo.checkpoint.lock import fingerprints, records, untested
from zoo.checkpoint.source import Source
from zoo.errors import ConflictError, UsageError
from zoo.files import json_text, replace_file
from zoo.spec.paths import moved
from zoo.spec.render import spec_data
from zoo.spec.sections import Spec
from zoo.training.tracking import LOGS

FREE = ("hub", "evaluate.folds", "data.test", "train.save_every")
"""Keys that change nothing of what is trained."""

REVISION = re.compile(r"(hf://datasets/[^@#\"]+)@[^#\"]+")
"""The commit that a run's spec names of a data set where the spec that it was trained with names none."""

STATE, MADE_OF, WEIGHTS, LOCK = "state.safetensors", "made_of.json", "state.weights.json", ".lock"


class Diverged(UsageError):
    """The loss is no number any more, and would be none again if the training went on."""


def unfinished(folder: Path) -> Path:
    """Where a training is kept until its run takes the place of `folder`."""
    place = folder.resolve()
    return place.with_name(f"{place.name}.training")


@contextmanager
def kept(folder: Path, spec: Spec, resume: bool) -> Iterator[Path]:
    """The folder of an unfinished training, which is gone when the block ends well, or has nothing to go on from.

    It stays after a signal, a kill, a full disk, a file that could not be read.

    Args:
        folder: Where the run will stand.
        spec: What is trained.
        resume: Go on with what is there, if there is any.

    Raises:
        ConflictError: A training is there already that was not to be resumed, or one is under way.
        UsageError: What is there is of another spec, or of other data.
    """
    begun = "holds a training that was interrupted"
    with held(folder, lambda working: (working / STATE).exists(), begun, resume) as working:
        _clear(working)
        _check(working, spec)
        try:
            yield working
        except BaseException as error:
            if isinstance(error, Diverged):
                error.args = (f"{error}; of this training nothing is kept, as it would go on to the same place",)
            if isinstance(error, Diverged) or not (working / STATE).exists():
                shutil.rmtree(working, ignore_errors=True)
            raise
        shutil.rmtree(working, ignore_errors=True)


@contextmanager
def held(folder: Path, begun: Callable[[Path], bool], told: str, resume: bool) -> Iterator[Path]:
    """The folder of unfinished work, made if need be, in which no other process works inside the block.

    Args:
        folder: Where the finished work will stand.
        begun: Whether there is something in it to go on from.
        told: What to say of that.
        resume: Whether it may be there.

    Raises:
        ConflictError: There is something that was not to be resumed, or another process works there.
        UsageError: It cannot be written.
    """
    check_free(folder)
    working = unfinished(folder)
    if begun(working) and not resume:
        raise ConflictError(f"`{working}` {told}: go on with --resume, or remove it to begin again")
    try:
        working.mkdir(parents=True, exist_ok=True)
        lock = (working / LOCK).open("wb")
    except OSError as error:
        raise UsageError(f"`{working}` cannot be written: {error.strerror}") from None
    with lock:
        _alone(lock, working)
        yield working


def _alone(lock: BinaryIO, working: Path) -> None:
    """Refuses a folder in which another process trains; the system forgets a lock when its process ends."""
    try:
        import fcntl
    except ImportError:  # a system without such locks
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ConflictError(f"another process is training in `{working}`; wait for it, or choose another -o") from None


def _clear(working: Path) -> None:
    """Removes what a killed process left half-written."""
    for each in working.iterdir():
        if each.is_dir() and each.name != LOGS:
            shutil.rmtree(each, ignore_errors=True)
        elif each.name not in (STATE, MADE_OF, WEIGHTS, LOCK, LOGS):
            each.unlink(missing_ok=True)


def _check(working: Path, spec: Spec) -> None:
    """Compares spec and data with those that the state was made of; where there is no state, notes them."""
    here = moved(spec, working)
    made_of = {
        "spec": spec_data(here),
        "data": fingerprints(untested(spec)),
    }
    made_of = json.loads(json_text(made_of))
    if not (working / STATE).exists():
        replace_file(working / MADE_OF, json_text(made_of))
        return
    before = json.loads((working / MADE_OF).read_text(encoding="utf-8"))
    advice = f"set it back, or remove `{working}` to begin again"
    for path, old, new in differences(before["spec"], made_of["spec"]):
        if path.startswith(FREE):
            continue
        raise UsageError(f"the training in `{working}` has `{path}: {old}`, and the spec now says {new}; {advice}")
    for name, old in before["data"].items():
        if made_of["data"].get(name) != old:
            raise UsageError(f"`{name}` was changed since the training in `{working}` began; {advice}")


def as_begun(spec: Spec, state: Path | None) -> Spec:
    """The spec with the weights that a training began with, wherever a branch of theirs is now.

    Args:
        spec: What is trained.
        state: Where the training saves; what stands beside it is of one that goes on.

    Raises:
        UsageError: The spec is to be built as a lock tells, which tells of others.
    """
    if state is None or not state.exists() or not (begun := _weights_of(state)).is_file():
        return spec
    pins = json.loads(begun.read_text(encoding="utf-8"))
    if spec.pins is not None and _files(spec.pins) != _files(pins):
        raise UsageError(f"the training in `{state.parent}` began with other weights than the lock tells of")
    return replace(spec, pins=pins)


def _weights_of(state: Path) -> Path:
    return state.with_suffix(".weights.json")


def _files(pins: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {part: record.get("files") for part, record in pins.items()}


def keep_weights(state: Path | None, sources: Mapping[str, Source]) -> None:
    """Notes beside the state of a training which weights it began with."""
    if state is not None and sources and not state.exists():
        replace_file(_weights_of(state), json_text(records(sources)))


def check_same(folder: Path, trained: Spec, spec: Spec) -> None:
    """Refuses a spec that a finished run was not trained with.

    Raises:
        ConflictError: They differ in what is trained.
    """
    before, now = (json.loads(json_text(spec_data(each))) for each in (trained, moved(spec, folder)))
    for path, old, new in differences(before, now):
        chosen = path == "train.batch_size" and spec.train.batch_size == "auto"
        if not path.startswith(FREE) and not chosen and REVISION.sub(r"\1", old) != new:
            raise ConflictError(
                f"the run `{folder}` was trained with `{path}: {old}`, and the spec now says {new}; "
                "name another folder with -o"
            )


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The paths at which two trees of JSON data differ, with what stands there in each, as JSON."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif old != new:
        yield path, json.dumps(old), json.dumps(new)
