"""Pretrained weights at a commit, as the bases of deltas: their files, with digests, and their tensors as bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.checkpoint.raw import Raw, map_file
from zoo.checkpoint.repository import Repository
from zoo.checkpoint.shards import INDEX, SINGLE, shard_names
from zoo.errors import CorruptError, DigestError, NetworkError, UsageError
from zoo.files import file_digest
from zoo.hub.reference import COMMIT

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


def find_base(repo: str, commit: str) -> Base | None:
    """The weights of a repository as they are in the cache or on the Hub; None where there are none in safetensors.

    Raises:
        NetworkError: The Hub is needed and cannot be reached.
    """
    repository = _repository(repo, commit)
    names = set(repository.names())
    if SINGLE in names:
        wanted = [SINGLE]
    elif INDEX in names:
        index = repository.path(INDEX)
        wanted = sorted(shard_names(index)) if index is not None else []
    else:
        wanted = sorted(name for name in names if name.endswith(".safetensors") and "/" not in name)[:1]
    paths = {name: repository.path(name) for name in wanted}
    files = {
        name: {"sha256": file_digest(path), "size": path.stat().st_size}
        for name, path in paths.items()
        if path is not None
    }
    return Base(repo, commit, files) if files else None


def base_tensors(base: Base) -> dict[str, Raw]:
    """The tensors of a base, every file compared with what is told of it, and fetched again once where it differs.

    Raises:
        NetworkError: A file is not in the cache and cannot be fetched: the base must stay where it is.
        DigestError: It is another file now.
    """
    repository = _repository(base.repo, base.commit)
    tensors: dict[str, Raw] = {}
    for name, told in base.files.items():
        path = repository.path(name)
        if path is not None and file_digest(path) != told["sha256"]:
            path = repository.path(name, again=True)
        if path is None:
            raise NetworkError(f"the base {base} has no `{name}` any more; this delta cannot be made whole without it")
        if file_digest(path) != told["sha256"]:
            raise DigestError(f"`{name}` of the base {base} is not the file that the delta was made against")
        tensors |= map_file(path)
    return tensors


def read_bases(told: Any) -> dict[str, Base]:
    """The bases that a lock tells, by name.

    Raises:
        CorruptError: They are none.
    """
    if not isinstance(told, dict) or len(told) > 100:
        raise CorruptError("zoo.lock does not tell the bases of its delta")
    return {name: _read_base(name, each) for name, each in told.items()}


def _read_base(name: str, told: Any) -> Base:
    good = (
        NAME.fullmatch(name)
        and isinstance(told, dict)
        and told.keys() == {"repo", "commit", "files"}
        and name == f"{told['repo']}@{told['commit']}"
        and COMMIT.fullmatch(str(told["commit"]))
        and isinstance(told["files"], dict)
        and all(_is_file(file, each) for file, each in told["files"].items())
    )
    if not good:
        raise CorruptError(f"zoo.lock tells of the base {name[:80]!r}, which is none")
    return Base(**told)


def _is_file(name: str, told: Any) -> bool:
    plain = "/" not in name and "\\" not in name and name.endswith(".safetensors")
    return plain and isinstance(told, dict) and isinstance(told.get("sha256"), str) and type(told.get("size")) is int


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
