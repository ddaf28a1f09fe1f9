"""A run folder is complete or absent: it is written beside its place and renamed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ConflictError, UsageError
from zoo.files import umask


@contextmanager
def complete_or_absent(folder: Path, within: Path | None = None) -> Iterator[Path]:
    """A new folder to write into, which takes its place when the block ends, and is gone when the block fails.

    Args:
        folder: The place; an empty folder may be there. A link is followed.
        within: Where to make the new folder; beside the place unless given.

    Raises:
        ConflictError: Something is there already.
        UsageError: The folder around it cannot be written to; or it cannot take its place, and what was written stays
            beside it.
    """
    check_free(folder)
    place = folder.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=within or place.parent, prefix=f".{place.name}."))
    except OSError as error:
        raise UsageError(f"`{folder}` cannot be written: {error.strerror}") from None
    try:
        yield beside
        beside.chmod(0o777 & ~umask())
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    try:
        check_free(folder)
        beside.replace(place)
    except (OSError, ConflictError) as error:
        kind = ConflictError if isinstance(error, ConflictError) else UsageError
        raise kind(f"{error}; what was to stand there is whole, in `{beside}`") from None


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
