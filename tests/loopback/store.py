"""Repositories: commits, the files in them, branches and tags. All in memory."""

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from tests.loopback.messages import Refusal

Kind = Literal["model", "dataset"]

MAIN = "main"
STALE = "A commit has happened since. Please refresh and try again."
ATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n"
    for suffix in ("safetensors", "bin", "parquet", "pt", "pth", "onnx", "npy", "npz", "zip", "tar", "gz")
)
FIRST_DATE = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    """A file of a revision.

    Args:
        oid: Its name in git: the sha-1 of the blob, which of a large file is the pointer.
        size: Its size in bytes.
        sha256: The digest of a large file; empty for one that is in git itself.
    """

    oid: str
    size: int
    sha256: str = ""

    @property
    def key(self) -> str:
        """What its content is kept under, which is its ETag too."""
        return self.sha256 or self.oid


@dataclass(frozen=True)
class Change:
    """What a commit does to a path: gives it a file, or takes a file or a folder away."""

    path: str
    file: File | None
    folder: bool = False


@dataclass(frozen=True)
class Commit:
    """A commit: what all files are, and where that came from."""

    oid: str
    parent: str | None
    title: str
    message: str
    author: str
    date: datetime
    files: Mapping[str, File] = field(repr=False)


def git_oid(content: bytes) -> str:
    """What git calls a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """What git has in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def large(sha256: str, size: int) -> File:
    """A large file."""
    return File(git_oid(pointer(sha256, size)), size, sha256)


@dataclass
class Repo:
    """A repository.

    Args:
        kind: What is in it.
        name: `owner/name`.
        private: Whether only its owners see it.
        gated: Whether only its owners, and who is `admitted`, may fetch its files.
    """

    kind: Kind
    name: str
    private: bool = False
    gated: bool = False
    admitted: set[str] = field(default_factory=set)
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def namespace(self) -> str:
        """Who it belongs to."""
        return self.name.partition("/")[0]

    @property
    def address(self) -> str:
        """Its path on the Hub."""
        return f"datasets/{self.name}" if self.kind == "dataset" else self.name

    def resolve(self, revision: str) -> Commit:
        """The commit that a branch, a tag, or at least seven digits of a commit mean.

        Raises:
            Refusal: There is none.
        """
        with self.lock:
            short = re.sub(r"^refs/(heads|tags)/", "", revision)
            oid = self.branches.get(short) or self.tags.get(short) or revision
            if oid not in self.commits and re.fullmatch(r"[0-9a-f]{7,39}", oid):
                oid = next((full for full in self.commits if full.startswith(oid)), oid)
            if oid not in self.commits:
                raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            return self.commits[oid]

    def history(self, revision: str) -> list[Commit]:
        """A commit and those that it came from, newest first."""
        found = [self.resolve(revision)]
        while (parent := found[-1].parent) in self.commits and parent is not None:
            found.append(self.commits[parent])
        return found

    def check_parent(self, branch: str, parent: str | None) -> None:
        """Refuses a commit to a branch that does not exist, or that has moved since.

        Raises:
            Refusal: Either is so.
        """
        tip = self.branches.get(branch)
        if tip is None and self.commits:
            raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        if parent is not None and not (tip or "").startswith(parent):
            raise Refusal(412, STALE)

    def commit(
        self,
        changes: Iterable[Change],
        title: str,
        *,
        branch: str = MAIN,
        message: str = "",
        author: str = "ann",
        parent: str | None = None,
    ) -> Commit:
        """Adds a commit to a branch, all of it or nothing.

        Raises:
            Refusal: There is no such branch, its newest commit is not `parent`, or a file to delete is not there.
        """
        with self.lock:
            self.check_parent(branch, parent)
            tip = self.branches.get(branch)
            files = changed(self.commits[tip].files if tip else {}, changes)
            told = json.dumps([self.kind, self.name, tip, title, message, author, sorted_oids(files)])
            oid = hashlib.sha1(told.encode()).hexdigest()
            date = FIRST_DATE + timedelta(minutes=len(self.commits))
            self.commits[oid] = made = Commit(oid, tip, title, message, author, date, files)
            self.branches[branch] = oid
            return made


def changed(before: Mapping[str, File], changes: Iterable[Change]) -> dict[str, File]:
    """The files after changes."""
    files = dict(before)
    for change in changes:
        path = change.path
        if change.file is not None:
            files[path] = change.file
            continue
        gone = [name for name in files if name.startswith(path.rstrip("/") + "/")] if change.folder else [path]
        if not gone or any(name not in files for name in gone):
            raise Refusal(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
        for name in gone:
            del files[name]
    return files


def sorted_oids(files: Mapping[str, File]) -> Sequence[tuple[str, str]]:
    """Paths and what is there, in one order."""
    return sorted((path, file.oid) for path, file in files.items())


def folders(files: Mapping[str, File]) -> dict[str, str]:
    """The folders that files are in, and a name as git has one for each."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path, oid in sorted_oids(files):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            found.setdefault("/".join(parts[:depth]), []).append((path, oid))
    return {path: hashlib.sha1(json.dumps(inside).encode()).hexdigest() for path, inside in found.items()}
