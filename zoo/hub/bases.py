"""Pretrained weights at a commit, as the bases of deltas: their files, with digests, and their tensors as bytes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from zoo.checkpoint.delta import DELTA
from zoo.checkpoint.heard import Heard
from zoo.checkpoint.raw import Raw, map_file
from zoo.checkpoint.repository import NotThere, Repository
from zoo.checkpoint.shards import INDEX, SINGLE, shard_names
from zoo.errors import CorruptError, DigestError, NetworkError, UsageError, ZooError
from zoo.files import file_digest
from zoo.hub.hub_store import HubStore
from zoo.hub.names import MOST
from zoo.hub.reference import COMMIT, Reference
from zoo.hub.store import SHA256, Blob, matches
from zoo.hub.watch import counted

NAME = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


@dataclass(frozen=True)
class Base:
    """A repository of weights at a commit.

    Args:
        repo: `owner/name`.
        commit: In 40 hexadecimal digits.
        files: Size and SHA-256 of the files that its weights are in.
    """

    repo: str
    commit: str
    files: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return f"{self.repo}@{self.commit}"

    def as_dict(self) -> dict[str, Any]:
        """As JSON data, for a lock."""
        return {
            "repo": self.repo,
            "commit": self.commit,
            "files": {name: dict(each) for name, each in self.files.items()},
        }


def find_base(repo: str, commit: str, heard: Heard | None = None) -> Base | None:
    """The weights of a repository as they are in the cache or on the Hub; None where there are none in safetensors.

    Args:
        repo: `owner/name`.
        commit: In 40 hexadecimal digits.
        heard: Hears how many bytes more have come.

    Raises:
        NetworkError: The Hub is needed and cannot be reached, or does not have them.
    """
    try:
        return _found_base(_repository(repo, commit), heard)
    except NotThere as error:
        raise NetworkError(str(error)) from None


def _found_base(repository: Repository, heard: Heard | None) -> Base | None:
    names = set(repository.names())
    if SINGLE in names:
        wanted = [SINGLE]
    elif INDEX in names:
        index = repository.path(INDEX)
        wanted = sorted(shard_names(index)) if index is not None else []
    else:  # a delta is no base: what it leaves out stands elsewhere
        wanted = sorted(name for name in names - {DELTA} if name.endswith(".safetensors") and "/" not in name)[:1]
    paths = {name: repository.path(name, heard=heard) for name in wanted}
    files = {
        name: {"sha256": file_digest(path), "size": path.stat().st_size}
        for name, path in paths.items()
        if path is not None
    }
    return Base(repository.repo, repository.commit, files) if files else None


def base_tensors(base: Base, heard: Heard | None = None) -> dict[str, Raw]:
    """The tensors of a base, every file compared with what is told of it, and fetched again once where it differs.

    Nothing is fetched whose size is not the one that is told.

    Args:
        base: The base.
        heard: Hears how many bytes more are there.

    Raises:
        NetworkError: A file is not in the cache and cannot be fetched: the base must stay where it is.
        CorruptError: It is a delta itself.
        DigestError: It is another file now.
    """
    repository = _repository(base.repo, base.commit)
    told = {name: Blob(each["size"], each["sha256"]) for name, each in base.files.items()}
    here = {name: path for name in told if (path := repository.cached(name)) is not None}
    if lacking := {name: blob for name, blob in told.items() if name not in here or not matches(here[name], blob)}:
        _check_listed(base, lacking)
    tensors: dict[str, Raw] = {}
    for name, blob in told.items():
        with counted(heard, blob.size) as mine, _there_still(base):
            path = repository.path(name, again=name in here and name in lacking, heard=mine)
            if path is None:
                raise _gone(base, f"has no `{name}`")
            if not matches(path, blob):
                path = repository.path(name, again=True, heard=mine)
        if path is None or not matches(path, blob):
            raise DigestError(f"`{name}` of the base {base} is not the file that the delta was made against")
        tensors |= map_file(path)
    return tensors


def _check_listed(base: Base, told: Mapping[str, Blob]) -> None:
    """Compares what is told of files with what the Hub lists, before they are fetched."""
    try:
        listed = HubStore(Reference(base.repo)).tree(base.commit)
    except NotThere:
        raise _gone(base, "is there no more") from None
    except ZooError as error:
        error.args = (f"the base {base} of this delta: {error}",)
        raise
    for name, blob in told.items():
        if name not in listed and DELTA in listed:
            raise CorruptError(f"the base {base} is a delta itself, which leaves out what stands elsewhere")
        if name not in listed:
            raise _gone(base, f"has no `{name}`")
        if listed[name].size != blob.size or listed[name].sha256 not in (None, blob.sha256):
            raise DigestError(f"`{name}` of the base {base} is not the file that the delta was made against")


@contextmanager
def _there_still(base: Base) -> Iterator[None]:
    """A base must stay where it is: one that went is no wrong use."""
    try:
        yield
    except NotThere:
        raise _gone(base, "is there no more") from None


def _gone(base: Base, told: str) -> NetworkError:
    return NetworkError(f"the base {base} {told}; this delta cannot be made whole without it")


def read_bases(told: Any) -> dict[str, Base]:
    """The bases that a lock tells, by name.

    Raises:
        CorruptError: They are none.
    """
    if not isinstance(told, dict) or len(told) > 100:
        raise CorruptError("zoo.lock does not tell the bases of its delta")
    return {name: _read_base(name, each) for name, each in told.items()}


def _read_base(name: str, told: Any) -> Base:
    if isinstance(told, dict) and isinstance(told.get("files"), dict) and DELTA in told["files"]:
        raise CorruptError(f"zoo.lock names the base {name[:80]!r}, which is a delta itself; a base is whole")
    good = (
        NAME.fullmatch(name)
        and isinstance(told, dict)
        and told.keys() == {"repo", "commit", "files"}
        and name == f"{told['repo']}@{told['commit']}"
        and COMMIT.fullmatch(str(told["commit"]))
        and isinstance(told["files"], dict)
        and 0 < len(told["files"]) <= MOST
        and all(_is_file(file, each) for file, each in told["files"].items())
    )
    if not good:
        raise CorruptError(f"zoo.lock tells of the base {name[:80]!r}, which is none")
    return Base(**told)


def _is_file(name: str, told: Any) -> bool:
    plain = "/" not in name and "\\" not in name and name.endswith(".safetensors")
    size, digest = (told.get(key) for key in ("size", "sha256")) if isinstance(told, dict) else (None, None)
    return plain and type(size) is int and size >= 0 and isinstance(digest, str) and bool(SHA256.fullmatch(digest))


def _repository(repo: str, commit: str) -> Repository:
    return Repository("model", repo, commit, "a delta needs its base")


def pinned_records(weights: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Repository and commit by part, of those parts of a lock whose weights came from a commit on the Hub.

    Raises:
        UsageError: A record is none.
    """
    found = {}
    for part, record in weights.items():
        if not isinstance(record, dict):
            raise UsageError(f"zoo.lock does not tell where the weights of `{part}` came from")
        repo, commit = record.get("repo"), record.get("commit")
        if isinstance(repo, str) and isinstance(commit, str) and NAME.fullmatch(f"{repo}@{commit}"):
            found[part] = repo, commit
    return found
