"""What cells have alike: those that hold a file or say where it is, and how a message shows one."""

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from os import PathLike
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from torch import Tensor


def shown(cell: Any) -> str:
    """A cell as a message shows it: shortened, with its type."""
    return f"{shortened(cell)} ({type(cell).__name__})"


def without_torch(cell: Any) -> Any:
    """A tensor as an array, because numpy takes no tensor without a warning; anything else as it is."""
    return cell.numpy(force=True) if isinstance(cell, Tensor) else cell


def stored(cell: Any, folder: Path, kind: str) -> BytesIO | Path:
    """The file that a cell holds or names.

    Args:
        cell: Bytes; a path; or both as `{"bytes": ..., "path": ...}`, as Parquet files of Hugging Face hold them. Bytes
            come before the path.
        folder: Where relative paths start.
        kind: What is expected, for messages: `a picture`.

    Raises:
        ValueError: It is none of these, is empty, or there is no such file.
    """
    found = cell
    if isinstance(cell, Mapping):
        found = cell.get("path") if cell.get("bytes") is None else cell["bytes"]
    if isinstance(found, (bytes, bytearray, memoryview)):
        if not len(found):
            raise ValueError(f"it holds no bytes; expected {kind}, or an empty (null) cell where there is none")
        return BytesIO(found)
    if isinstance(found, (str, PathLike)):
        path = folder / found
        if not _is_file(path):
            raise ValueError(f"{_no_file(path, str(found), folder)}; expected the path of {kind}")
        if not path.stat().st_size:
            raise ValueError(f"the file {shortened(str(found))} is empty (0 bytes); expected {kind}")
        return path
    raise ValueError(f"{shown(cell)} is not {kind}; expected a file's path, its bytes, or both as {{bytes, path}}")


def check_file(cell: Any, folder: Path, kind: str) -> None:
    """Looks whether the file is there that a cell names.

    Args:
        cell: Whatever `stored` takes, or something that is no file at all, which is not looked at.
        folder: Where relative paths start.
        kind: What is expected, for messages.

    Raises:
        ValueError: There is no such file.
    """
    if isinstance(cell, (str, PathLike)):
        stored(cell, folder, kind)


def file_identity(cell: Any, folder: Path) -> bytes | None:
    """What tells the file that a cell names from others; None of a cell that names none.

    Args:
        cell: Whatever `stored` takes.
        folder: Where relative paths start.
    """
    found = cell
    if isinstance(cell, Mapping):
        found = cell.get("path") if cell.get("bytes") is None else cell["bytes"]
    if isinstance(found, (bytes, bytearray, memoryview)):
        return bytes(found)
    if not isinstance(found, (str, PathLike)) or not _is_file(folder / found):
        return None
    path = (folder / found).resolve()
    told = path.stat()
    return f"{path} {told.st_size} {told.st_mtime_ns}".encode(errors="surrogatepass")


def cannot_be_read(error: Exception) -> str:
    """What the operating system says against reading a file; "" where it is not to blame."""
    return f"the file cannot be read: {error.strerror}" if isinstance(error, OSError) and error.strerror else ""


def _no_file(path: Path, named: str, folder: Path) -> str:
    if "://" in named:
        return f"{shortened(named)} is an address, and cells are not fetched"
    with suppress(OSError):
        if path.is_dir():
            return f"{shortened(named)} is a folder"
    return f"there is no file {shortened(named)} in `{folder}`"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long: some other text stands where a path should
        return False
