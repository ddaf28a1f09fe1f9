"""A run folder is complete or absent: it is written beside its place and renamed."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.errors import ConflictError, UsageError
from zoo.files import held, is_full, sweep, umask, unfinished_name


@contextmanager
def complete_or_absent(folder: Path, within: Path | None = None) -> Iterator[Path]:
    """A new folder to write into, which takes its place when the block ends, and is gone when the block fails.

    Args:
        folder: The place; an empty folder may be there. A link is followed.
        within: Where to make the new folder; beside the place unless given.

    Raises:
        ConflictError: Something is there already.
        UsageError: The folder around it cannot be written to, or the disk is full; or it cannot take its place, and
            what was written stays beside it.
    """
    check_free(folder)
    place = folder.resolve()
    made = [each for each in place.parents if not each.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place)
        beside = Path(tempfile.mkdtemp(dir=within or place.parent, prefix=unfinished_name(place)))
    except OSError as error:
        _remove_empty(made)
        raise UsageError(f"`{folder}` cannot be written: {error.strerror}") from None
    with held(beside):
        try:
            yield beside
            beside.chmod(0o777 & ~umask())
        except BaseException as error:
            shutil.rmtree(beside, ignore_errors=True)
            _remove_empty(made)
            if isinstance(error, OSError) and is_full(error):
                raise UsageError(f"{_place_of(error, beside, folder)} cannot be written: {error.strerror}") from None
            raise
        try:
            check_free(folder)
            beside.replace(place)
        except (OSError, ConflictError) as error:
            kind = ConflictError if isinstance(error, ConflictError) else UsageError
            raise kind(f"{error}; what was to stand there is whole, in `{_kept(beside, place)}`") from None


@contextmanager
def passing_folder(name: str, within: Path | None = None) -> Iterator[Path]:
    """A new folder that is gone when the block ends; those of this name that killed processes left are swept first.

    Args:
        name: What it is for.
        within: Where to make it; the system's folder for what is temporary unless given.
    """
    parent = within or Path(tempfile.gettempdir())
    sweep(parent / name)
    made = Path(tempfile.mkdtemp(dir=parent, prefix=unfinished_name(parent / name)))
    try:
        with held(made):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Removes folders, innermost first, up to one that something is in."""
    with suppress(OSError):
        for each in folders:
            each.rmdir()


def _place_of(error: OSError, beside: Path, folder: Path) -> str:
    """Where there was no room: in what was to be the folder, unless the error says another place."""
    named = str(error.filename or folder)
    return f"`{folder if named.startswith(str(beside)) else named}`"


def _kept(beside: Path, place: Path) -> Path:
    """The folder beside its place, under a name that is never swept away."""
    kept = place.with_name(f"{beside.name}.kept")
    try:
        return beside.rename(kept)
    except OSError:
        return beside


def check_free(folder: Path) -> None:
    """Refuses a place where something is already, or that a folder cannot take.

    Raises:
        ConflictError: Something is there.
        UsageError: It is the working folder, or a file system of its own, which cannot be replaced.
    """
    place = folder.resolve()
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise ConflictError(f"`{folder}` is there already; name another folder with -o, or remove it first")
    if place == Path.cwd() or place.is_mount():
        raise UsageError(f"`{folder}` cannot be replaced by a finished folder; name one within it: {folder / 'run'}")
