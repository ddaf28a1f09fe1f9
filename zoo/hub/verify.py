"""`zoo.verify`: whether a run is the one that was written, and says here what it said where it was shared."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.verify import ADVICE, check_files, check_plugins, read_lock, section, version_remarks
from zoo.errors import CorruptError, DigestError, UsageError
from zoo.hub.names import WEIGHTS
from zoo.hub.prove import prove
from zoo.hub.pull import pull
from zoo.hub.raw_run import LOCK, check_digests, raw_weights
from zoo.hub.reference import read_reference
from zoo.hub.store import matches
from zoo.hub.told import Told, read_told
from zoo.hub.watch import Unwatched, Watch


@dataclass(frozen=True)
class Verified:
    """What was found in order.

    Args:
        name: What was verified.
        tensors: How many tensors have the digests that the lock tells.
        difference: The largest difference of golden outputs; None where there are none, so that nothing was compared.
        remarks: What the user should know: libraries that are not here in the version that it was made with.
    """

    name: str
    tensors: int
    difference: float | None
    remarks: tuple[str, ...]


def verify(run: str | Path, watch: Watch | None = None) -> Verified:
    """Proves a run folder, or a shared run, which is pulled into a folder that is gone afterwards.

    Args:
        run: A folder; or `org/name`, `org/name@revision`, `file:///folder`.
        watch: Hears how far it is.

    Raises:
        UsageError: It is no run.
        PluginError: A plugin that it was made with is not installed.
        CorruptError: It is damaged.
        DigestError: A file or tensor is another, or it says something else here.
        NetworkError: It cannot be fetched.
    """
    if isinstance(run, Path) or Path(run).is_dir():
        (watch or Unwatched()).step(f"verifying {run}")
        return _verified(Path(run), prove)
    reference = read_reference(run)
    with passing_folder("zoo-verify") as beside:
        pulled = pull(reference, beside / "run", watch=watch)
        found = _verified(pulled.folder, lambda folder: pulled.difference)
    remarks = tuple(dict.fromkeys([*pulled.remarks, *found.remarks]))
    return Verified(str(pulled.reference), found.tensors, found.difference, remarks)


def _verified(folder: Path, proof: Any) -> Verified:
    if not (folder / LOCK).is_file():
        raise UsageError(f"`{folder}` is no run folder: it has no {LOCK}")
    lock = read_lock(folder / LOCK)
    check_files(folder, lock)
    check_plugins(f"`{folder}`", section(lock, "plugins", f"`{folder / LOCK}`"))
    _check_shared(folder, read_told(lock, f"`{folder}`"))
    tensors = raw_weights(folder)
    check_digests(tensors, lock, f"`{folder}`")
    return Verified(str(folder), len(tensors), proof(folder), tuple(version_remarks(lock)))


def _check_shared(folder: Path, told: Told) -> None:
    """Compares the files of a run that was pulled with what was pushed; weights are compared tensor by tensor."""
    for name, blob in (told.files or {}).items():
        path = folder / name
        if WEIGHTS.fullmatch(name):
            continue
        if not path.is_file():
            raise CorruptError(f"`{path}` is missing: the run folder is not whole")
        if not matches(path, blob):
            raise DigestError(f"`{path}` does not have the digest that zoo.lock tells; {ADVICE}")
