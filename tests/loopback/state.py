"""All that a Hub knows."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from hashlib import sha256

from tests.loopback.accounts import Accounts
from tests.loopback.faults import Faults
from tests.loopback.log import Log
from tests.loopback.messages import Refusal
from tests.loopback.store import ATTRIBUTES, MAIN, Change, File, Kind, Repo, git_oid, large
from tests.loopback.xet import Storage

LARGE = 10 * 2**20
"""From so many bytes on a file is large, whatever its name."""


@dataclass(frozen=True)
class Moved:
    """Where a repository went, and the status with which that is told."""

    name: str
    status: int


@dataclass
class State:
    """A Hub, without its protocol.

    Args:
        storage: What hf_xet reads and writes.
        endpoint: Where its API is.
        cdn: Where large files are.
        page: How many entries an answer lists at most.
        part: From how many bytes on, and in parts of which size, LFS files are sent in parts; 0 is never.
    """

    storage: Storage
    endpoint: str = ""
    cdn: str = ""
    page: int = 1000
    part: int = 0
    accounts: Accounts = field(default_factory=Accounts)
    faults: Faults = field(default_factory=Faults)
    log: Log = field(default_factory=Log)
    repos: dict[tuple[Kind, str], Repo] = field(default_factory=dict)
    moved: dict[tuple[Kind, str], Moved] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create(self, kind: Kind, name: str, *, private: bool = False) -> Repo:
        """A new repository, whose first commit says which files are large."""
        with self.lock:
            self.moved.pop((kind, name), None)
            repo = self.repos[kind, name] = Repo(kind, name, private)
            repo.commit([Change(".gitattributes", self.keep(ATTRIBUTES.encode()))], "initial commit", author="system")
            return repo

    def move(self, kind: Kind, name: str, to: str, status: int = 307) -> None:
        """Gives a repository another name; requests for the old one are sent on."""
        with self.lock:
            if (kind, to) in self.repos:
                raise Refusal(409, "There is already a repository with that name")
            repo = self.repos.pop((kind, name))
            repo.name = to
            self.repos[kind, to] = repo
            self.moved.pop((kind, to), None)
            self.moved[kind, name] = Moved(to, status)

    def keep(self, content: bytes) -> File:
        """Keeps the content of a small file."""
        file = File(git_oid(content), len(content))
        self.blobs[file.key] = content
        return file

    def keep_large(self, content: bytes) -> File:
        """Keeps the content of a large file."""
        file = large(sha256(content).hexdigest(), len(content))
        self.blobs[file.key] = content
        return file

    def receive(self, digests: Iterable[str]) -> None:
        """Gets large files from the xet storage, as far as they are there and not here yet."""
        for digest, content in self.storage.take(set(digests) - set(self.blobs)).items():
            self.blobs[digest] = content

    def contents(self, files: Mapping[str, File]) -> dict[str, bytes]:
        """What is in files."""
        return {path: self.blobs[file.key] for path, file in files.items()}

    def is_large(self, repo: Repo, path: str, size: int, sample: bytes, branch: str = MAIN) -> bool:
        """Whether the Hub wants a file as a large one: by its name, its size, or because it is no text."""
        attributes = repo.resolve(branch).files.get(".gitattributes")
        lines = self.blobs[attributes.key].decode().splitlines() if attributes else []
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
        name = path.rpartition("/")[2]
        return size >= LARGE or b"\0" in sample or any(fnmatch(name, pattern) for pattern in patterns)
