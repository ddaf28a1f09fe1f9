"""A run folder is complete or absent: it is written beside its place and renamed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import ConflictError, UsageError
from zoo.files import umask


@contextmanager
def complete_or_absent(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which takes its place when the block ends, and is gone when it fails.

    Args:
        folder: The place; an empty folder may be there.

    Raises:
        ConflictError: Something is there already.
        UsageError: The folder around it cannot be written to.
    """
    check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise UsageError(f"`{folder}` cannot be written: {error.strerror}") from None
    try:
        yield beside
        beside.chmod(0o777 & ~umask())
        check_free(folder)
        beside.replace(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def check_free(folder: Path) -> None:
    """Refuses a place where something is already.

    Raises:
        ConflictError: Something is.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ConflictError(f"`{folder}` is there already; name another folder with -o, or remove it first")
