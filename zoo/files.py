"""Files that are complete or absent, and JSON that every reader takes."""

import errno
import glob
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from zoo.errors import ConflictError, UsageError

RANDOM = 8
"""Characters that `tempfile` adds to a name."""

PART = ".part"
"""What the names of new files end in that have not taken their place yet."""

YOUNG = 60
"""Seconds in which a file or folder may have been made that nobody holds yet."""


def replace_file(path: Path, text: str) -> None:
    """Writes a text as `replace_bytes` writes bytes, in UTF-8.

    Raises:
        UsageError: The folder cannot be made or written to.
    """
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, data: bytes) -> None:
    """Writes beside the file and renames, so that a reader sees the old bytes or the new ones and nothing between.

    A link is written through; a pipe or a device, such as /dev/null, is written to.

    Raises:
        UsageError: The folder cannot be made or written to.
    """
    with writing(path):
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file in it")
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        with complete_file(path) as beside:
            beside.write_bytes(data)


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """A new file to write to, which takes its place when the block ends, and is gone when the block fails.

    What killed processes left of new files for this place is swept first.

    Args:
        path: The place. A link is written through.

    Raises:
        UsageError: The folder cannot be made or written to.
    """
    with writing(path):
        target = path.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=unfinished_name(target), suffix=PART)
        os.close(handle)
    beside = Path(name)
    try:
        with held(beside):
            yield beside
            with writing(path):
                beside.chmod(0o666 & ~umask())
                beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Says that somebody is at work in a folder, or on a file; it ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # a system without such locks: there nothing is swept away
        yield
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without them
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def unfinished_name(place: Path) -> str:
    """What a new file or folder is called until it takes its place, but for characters by chance at its end."""
    return f".{place.name}.zoo-"


def sweep(place: Path) -> None:
    """Removes what killed processes left beside a place: new files and folders for it at which nobody is at work.

    Args:
        place: The file or folder that was to be written.
    """
    with suppress(ImportError):
        import fcntl

        beside = f"{glob.escape(unfinished_name(place))}{'?' * RANDOM}"
        for each in [*place.parent.glob(beside), *place.parent.glob(f"{beside}{PART}")]:
            with suppress(OSError):  # somebody holds it, or took it away
                folder = each.suffix != PART
                kind = each.is_dir() if folder else each.is_file()  # no pipe, which would keep one waiting
                if time.time() - each.lstat().st_mtime < YOUNG or not kind or each.is_symlink():
                    continue
                handle = os.open(each, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(each) if folder else each.unlink()
                finally:
                    os.close(handle)


def check_new(path: Path) -> None:
    """Refuses a place where something is.

    Raises:
        ConflictError: It is.
    """
    if path.exists():
        raise ConflictError(f"`{path}` is there already; name another file with -o, or remove it first")


def check_writable(path: Path) -> None:
    """Looks whether a file can be written: makes the folder that it is to stand in, and tries.

    Raises:
        UsageError: The folder cannot be made or written to.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tells which file cannot be written, and why.

    Raises:
        UsageError: The system says that it cannot.
    """
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{path} cannot be written: {path.parent} is not a folder") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What a system says where there is no more room: on the disk, for the user, in the file."""


def is_full(error: Exception) -> bool:
    """Whether something could not be written for want of room."""
    return (isinstance(error, OSError) and error.errno in FULL) or os.strerror(errno.ENOSPC) in str(error)


def cache_folder() -> Path:
    """Where what can be made again is kept: `ZOO_CACHE`, else `zoo` under the XDG cache folder."""
    if chosen := os.environ.get("ZOO_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zoo"


SETTLED = 2
"""Seconds after which a file's time tells whether it was written again: clocks of file systems are coarse."""


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits; it is read once as long as its size and time stay."""
    found = path.stat()
    if time.time() - found.st_mtime < SETTLED:
        return _read_digest(path)
    return _known_digest(path.resolve(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _known_digest(path: Path, size: int, written: int) -> str:
    return _read_digest(path)


def _read_digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time is inside the block; the system frees the lock of one that ends.

    Args:
        path: The lock's file, which stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        with suppress(ImportError):  # a system without such locks
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def umask() -> int:
    """The permissions that new files do not get."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        if found := re.search(r"^Umask:\s*([0-7]+)$", status, re.MULTILINE):
            return int(found[1], 8)
    mask = os.umask(0)  # which another thread may see, so that it is asked for so where nothing else tells it
    os.umask(mask)
    return mask


def json_text(value: Any, indent: int = 1) -> str:
    """A value as indented JSON, which has no NaN and no infinities: they are null."""
    return json.dumps(finite(value), indent=indent, ensure_ascii=False, default=str, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """A value with null for every NaN and infinity in it."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
