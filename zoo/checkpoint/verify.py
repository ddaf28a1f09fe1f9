"""Reads the small files of a run, and compares what it holds with the digests in its `zoo.lock`."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from zoo import __version__
from zoo.checkpoint.names import wrong_name
from zoo.errors import CorruptError, DigestError, PluginError, UsageError

FORMATS = (1, 2, 3)
"""Formats of a run folder that are read; what they differ in stands in `zoo.checkpoint.lock.FORMAT`."""

ADVICE = "the run was changed or damaged after it was written; take it from where it is whole"

DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9.!+_-]{0,100}")
"""What a name and a version may be that stand in a line to be pasted into a shell."""

MOST = 16 << 20
"""Bytes of a JSON file of a run, at most: what is read from it takes twenty times as many."""

MOST_NESTED = 1_000_000
"""Lists and mappings in such a file, at most: each takes as many bytes as twenty characters."""

MOST_DEEP = 64
"""Levels of them, at most: what goes through them afterwards, as what writes JSON, calls itself at each."""

MOST_PLUGINS = 1000
"""Plugins, and libraries, that a run may be made with: whether each is installed takes a while to find out."""

NEEDED = ("zoo.yaml", "config.json", "preprocessing.json")
"""Small files that every run has; the others stand under `parts/`."""


def read_lock(path: Path, called: str | None = None) -> dict[str, Any]:
    """What a lock tells, if it is of a format that this zoo reads.

    Args:
        path: The file.
        called: What messages call it; its path unless given.

    Raises:
        UsageError: It is of another format.
        CorruptError: The file is gone, or holds something else.
    """
    lock = read_json(path, called)
    check_format(lock, called or f"`{path}`")
    return lock


def check_format(told: Mapping[str, Any], name: str) -> None:
    """Refuses a lock, or a `config.json`, of a format that this zoo does not read.

    Args:
        told: What the file holds.
        name: What messages call it.

    Raises:
        CorruptError: It tells of none.
        UsageError: It is of another format.
    """
    written = told.get("format")
    if type(written) is not int:
        raise CorruptError(f"{name} tells of no format: it is none of a run")
    if written not in FORMATS:
        known = f"{', '.join(map(str, FORMATS[:-1]))} and {FORMATS[-1]}"
        raise UsageError(f"{name} is of format {str(written)[:20]}; this zoo, {__version__}, reads the formats {known}")


def section(lock: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    """A mapping in a lock.

    Args:
        lock: What the file holds.
        key: Which of its mappings.
        name: What messages call the file.

    Raises:
        CorruptError: It is not there.
    """
    found = lock.get(key)
    if not isinstance(found, dict):
        raise CorruptError(f"{name} has no mapping `{key}`: it is no lock of a run")
    return found


def check_files(folder: Path, lock: Mapping[str, Any]) -> None:
    """Compares the small files of a run with its lock.

    Raises:
        CorruptError: One is gone, or the lock is damaged.
        DigestError: One is not what was written.
    """
    listed = section(lock, "files", f"`{folder / 'zoo.lock'}`")
    there = {path.relative_to(folder).as_posix() for path in (folder / "parts").rglob("*") if path.is_file()}
    for name in sorted({*NEEDED, *there, *listed}):
        if name not in listed:
            raise DigestError(f"`{folder / name}` has no digest in zoo.lock; {ADVICE}")
        if name not in NEEDED and (not name.startswith("parts/") or wrong_name(name) is not None):
            raise CorruptError(f"`{folder / 'zoo.lock'}` tells of {name[:80]!r}, which is no file of a run")
        check_file(folder / name, name, lock)


def check_file(path: Path, name: str, lock: Mapping[str, Any]) -> None:
    """Compares a small file of a run with its lock.

    Args:
        path: Where it is on this machine.
        name: What the lock calls it.
        lock: The run's lock.

    Raises:
        CorruptError: It is gone, or the lock is damaged.
        DigestError: It is not what was written.
    """
    try:
        found = text_digest(path.read_bytes())
    except OSError:
        raise CorruptError(f"`{path}` is missing: the run folder is not whole") from None
    if section(lock, "files", "its zoo.lock").get(name) != found:
        raise DigestError(f"`{path}` does not have the digest that zoo.lock tells; {ADVICE}")


def check_plugins(run: str, plugins: Mapping[str, Any]) -> None:
    """Looks whether the distributions are installed that a run's parts came from.

    Args:
        run: What messages call the run.
        plugins: Version by distribution.

    Raises:
        PluginError: One is not; the message has a ready line for pip.
        CorruptError: These are no plugins, or more than anybody has.
    """
    if len(plugins) > MOST_PLUGINS:
        raise CorruptError(
            f"the zoo.lock of {run} names {len(plugins):,} plugins, and a run has {MOST_PLUGINS:,} at most"
        )
    for name, told in plugins.items():
        if not DISTRIBUTION.fullmatch(name) or not isinstance(told, str) or not VERSION.fullmatch(told):
            raise CorruptError(f"the zoo.lock of {run} names a plugin {name[:80]!r}, which is none")
    missing = [name for name in plugins if name != "unpackaged" and not _installed(name)]
    if missing:
        wanted = " ".join(f'"{name}=={plugins[name]}"' for name in missing)
        raise PluginError(f"{run} was made with {', '.join(missing)}, which is not installed: pip install {wanted}")


def changed_versions(lock: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Of each library and plugin of another version: its name, its version in a lock, and here; None where it lacks.

    Raises:
        CorruptError: There are more than anybody has.
    """
    for key in ("libraries", "plugins"):
        told = lock.get(key)
        if not isinstance(told, dict):
            continue
        if len(told) > MOST_PLUGINS:
            raise CorruptError(f"zoo.lock names {len(told):,} {key}, and a run has {MOST_PLUGINS:,} at most")
        for name, before in told.items():
            if name == "unpackaged" or not DISTRIBUTION.fullmatch(name) or not VERSION.fullmatch(str(before)):
                continue
            try:
                here = version(name)
            except PackageNotFoundError:
                here = None
            if here != before:
                yield name, str(before), here


def version_remarks(lock: Mapping[str, Any]) -> list[str]:
    """A remark on each library and plugin whose version is not the one that a run was made with.

    Raises:
        CorruptError: There are more than anybody has.
    """
    return [
        f"made with {name} {before}; {f'{here} is installed here' if here else 'it is not installed here'}"
        for name, before, here in changed_versions(lock)
    ]


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def text_digest(data: bytes) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_json(path: Path, called: str | None = None) -> dict[str, Any]:
    """The mapping that a JSON file of a run holds.

    Args:
        path: The file.
        called: What messages call it; its path unless given.

    Raises:
        CorruptError: The file is gone, or holds something else.
    """
    name = called or f"`{path}`"
    try:
        if path.stat().st_size > MOST:
            raise ValueError(f"it has more than {MOST:,} bytes")
        text = path.read_text(encoding="utf-8")
        if text.count("{") + text.count("[") > MOST_NESTED:
            raise ValueError(f"it has more than {MOST_NESTED:,} lists and mappings")
        loaded = json.loads(text)
        if _is_deep(loaded):
            raise ValueError(f"its lists and mappings have more than {MOST_DEEP} levels")
    except FileNotFoundError:
        raise CorruptError(f"{name} is missing: the run folder is not whole") from None
    except (ValueError, OSError, RecursionError) as error:
        raise CorruptError(f"{name} cannot be read: {error}") from None
    if not isinstance(loaded, dict):
        raise CorruptError(f"{name} holds no JSON object")
    return loaded


def _is_deep(loaded: Any) -> bool:
    """Whether lists and mappings are nested in more than `MOST_DEEP` levels."""
    level: list[Any] = [[loaded]]
    for _ in range(MOST_DEEP + 1):
        values = (each.values() if isinstance(each, dict) else each for each in level)
        level = [value for each in values for value in each if isinstance(value, (dict, list))]
    return bool(level)
