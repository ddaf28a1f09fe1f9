"""Columns of large tables as uncompressed Arrow files in a cache folder, which are mapped and not read into memory."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import pyarrow as pa

from zoo.errors import UsageError
from zoo.files import cache_folder, umask

BOUND = 64 << 30
"""Bytes that the cache holds; above it the files that were not used for longest are removed."""

ABANDONED = 24 * 3600
"""Seconds after which a file that was never finished is removed."""

FORMAT = 1

Batches = Callable[[Sequence[str]], Iterator[pa.RecordBatch]]


def kept_columns(content: str, columns: Sequence[str], batches: Batches) -> dict[str, Path]:
    """The Arrow file of each column, which is written unless it is there.

    Two processes may do this at once: each writes files of its own and renames them, and the last one's stay.

    Args:
        content: What the cells depend on beside the column's name: digests of files, and how they are read.
        columns: The columns.
        batches: Gives the cells of some columns.

    Raises:
        UsageError: The cache folder cannot be written to.
    """
    folder = cache_folder() / "tables"
    files = {name: folder / _name(content, name) for name in columns}
    missing = [name for name, path in files.items() if not path.is_file()]
    try:
        if missing:
            _write({name: files[name] for name in missing}, batches(missing))
            _prune(folder, set(files.values()))
        for path in files.values():
            os.utime(path)  # the time of last use
    except OSError as error:
        raise UsageError(
            f"a table too large for memory is kept in `{folder}`, which cannot be written: {error.strerror or error}; "
            "name a folder with room in the environment variable ZOO_CACHE"
        ) from None
    return files


def mapped_column(path: Path) -> pa.ChunkedArray:
    """The column of an Arrow file, mapped: its cells take none of the process's own memory."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all().column(0)


def _name(content: str, column: str) -> str:
    return hashlib.sha256(f"{FORMAT}\n{content}\n{column}".encode()).hexdigest()[:40] + ".arrow"


def _write(files: dict[str, Path], batches: Iterator[pa.RecordBatch]) -> None:
    """Writes a file for each column, all in one pass: beside their places, then renamed."""
    folder = next(iter(files.values())).parent
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        beside: dict[str, Path] = {}
        writers: dict[str, pa.RecordBatchFileWriter] = {}
        for name in files:
            handle, made = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
            os.close(handle)
            beside[name] = Path(made)
            stack.callback(beside[name].unlink, missing_ok=True)
        with ExitStack() as opened:
            for batch in batches:
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    part = pa.RecordBatch.from_arrays([column], [name])
                    if name not in writers:
                        writers[name] = opened.enter_context(pa.ipc.new_file(str(beside[name]), part.schema))
                    writers[name].write_batch(part)
        for name, path in files.items():
            beside[name].chmod(0o666 & ~umask())
            beside[name].replace(path)
    pa.default_memory_pool().release_unused()


def _prune(folder: Path, used: set[Path]) -> None:
    """Removes what was not used for longest until the rest is within the bound, and what was never finished.

    Where a file is mapped its content stays; who opens it again makes it again.
    """
    kept: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process is at it too
            found = path.stat()
            if path.suffix == ".part" and time.time() - found.st_mtime > ABANDONED:
                path.unlink()
            elif path.suffix == ".arrow":
                kept.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in kept)
    for _, size, path in sorted(kept):
        if total > BOUND and path not in used:
            path.unlink(missing_ok=True)
            total -= size
