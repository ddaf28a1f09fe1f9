"""Where shared runs are kept: commits of whole trees, each with its parent and a digest of every file."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zoo.checkpoint.heard import Heard
from zoo.files import file_digest
from zoo.hub.reference import Reference

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Blob:
    """A file of a commit.

    Args:
        size: Bytes.
        sha256: SHA-256 in hexadecimal; None where the store tells another digest alone.
        sha1: What git calls it; None where the store tells a SHA-256.
    """

    size: int
    sha256: str | None = None
    sha1: str | None = None


@dataclass(frozen=True)
class Pushed:
    """What became of a push.

    Args:
        commit: The commit that has the files.
        parent: The one before it; None where it is the first.
        sent: Bytes of the files that were sent; None where the store does not tell.
        new: Whether there is a new commit: none is made of files that are there already.
    """

    commit: str
    parent: str | None
    sent: int | None
    new: bool


@dataclass(frozen=True)
class Preview:
    """What a push would do.

    Args:
        sent: Bytes of the files that are not there yet, by name.
        gone: Files of the newest commit that would not be in the next one.
        audience: Who could read them.
    """

    sent: Mapping[str, int]
    gone: tuple[str, ...]
    audience: str


def matches(path: Path, blob: Blob | None) -> bool:
    """Whether a file has the size and the digest that a store, or a lock, tells."""
    if blob is None or path.stat().st_size != blob.size:
        return False
    if blob.sha256 is not None:
        return file_digest(path) == blob.sha256
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob.sha1


class Store(ABC):
    """A repository of one model.

    Args:
        reference: What it is called.
    """

    own = True
    """Whether its files on this machine are those of a cache, which may have a second name, and nobody else's."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the revision was resolved."""
        return ()

    @abstractmethod
    def tip(self) -> str | None:
        """The newest commit; None where there is no repository yet, or nothing in it.

        Raises:
            NetworkError: It cannot be reached.
        """

    @abstractmethod
    def resolve(self) -> str:
        """The commit of the reference's revision.

        Raises:
            UsageError: There is no such repository or revision.
            NetworkError: It cannot be reached, and nothing here knows the revision.
        """

    @abstractmethod
    def tree(self, commit: str) -> Mapping[str, Blob]:
        """The files of a commit, by name.

        Raises:
            NotThere: There is no such commit.
            NetworkError: It cannot be reached.
        """

    @abstractmethod
    def fetch(self, commit: str, name: str, *, again: bool = False, heard: Heard | None = None) -> Path:
        """Where a file of a commit is on this machine, fetched if need be. It is not to be written to.

        Args:
            commit: The commit.
            name: The file.
            again: Whether it is fetched even if it is here, because what is here is not what it should be.
            heard: Hears how many bytes more have come, where any come.

        Raises:
            NetworkError: It cannot be fetched.
        """

    @abstractmethod
    def preview(self, files: Mapping[str, Path]) -> Preview:
        """What `commit` would do with these files; nothing is changed.

        Raises:
            NetworkError: It cannot be reached.
        """

    @abstractmethod
    def commit(self, files: Mapping[str, Path], parent: str | None, message: str) -> Pushed:
        """Makes these files the newest commit, and no others of a run; all of them or nothing.

        Args:
            files: By name; where they are on this machine.
            parent: The newest commit, as `tip` told it.
            message: What the commit is for.

        Raises:
            ConflictError: The newest commit is another one.
            NetworkError: It cannot be reached, and nothing was changed.
        """
