"""Weights on the Hugging Face Hub, pinned to a commit."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.source import Folder, Source
from zoo.errors import CorruptError, NetworkError, UsageError

COMMIT = re.compile(r"[0-9a-f]{40}")
SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")


class HubRepository(Source):
    """A model repository on the Hub, or where `HF_ENDPOINT` points.

    Args:
        repo: `owner/name`.
        revision: A commit, branch or tag; the default branch unless said. It is resolved to a commit at first use.
    """

    def __init__(self, repo: str, revision: str | None = None) -> None:
        self.repo, self.revision = repo, revision
        self._commit: str | None = revision if revision and COMMIT.fullmatch(revision) else None

    def __str__(self) -> str:
        return f"`hf://{self.repo}{f'@{self.revision}' if self.revision else ''}`"

    @property
    def commit(self) -> str:
        """The commit, in 40 hexadecimal digits."""
        if self._commit is None:
            self._commit = self._resolved()
        return self._commit

    def path(self, name: str) -> Path | None:
        """The file in the Hub's cache, downloaded at the pinned commit if it is not there yet."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.repo, name, revision=self.commit, library_name="zoo"))
        except LocalEntryNotFoundError as error:
            raise NetworkError(
                f"{self}: `{name}` is not in the cache, and the Hub cannot be reached: {error}"
            ) from None
        except EntryNotFoundError:
            return None
        except _failures() as error:
            raise NetworkError(f"{self}: `{name}` cannot be fetched: {error}") from None

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The weights in the Hub's cache, if they are there, and whole."""
        commit = self._commit or self._cached_commit()
        if commit is None:
            return None
        try:
            return Folder(self._cache() / "snapshots" / commit).tensors(names)
        except (UsageError, CorruptError):
            return None

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """What the Hub says of the file's size, or of all shards, if they are not in the cache yet."""
        if self.cached(names) is not None:
            return 0
        from huggingface_hub import HfApi

        try:
            api = HfApi(library_name="zoo")
            files = api.model_info(self.repo, revision=self._commit or self.revision, files_metadata=True).siblings
        except _failures():
            return None
        sizes = {each.rfilename: each.size or 0 for each in files or ()}
        single = next((sizes[name] for name in names if name in sizes), None)
        return single or sum(size for name, size in sizes.items() if SHARD.fullmatch(name)) or None

    def record(self) -> dict[str, Any]:
        """Repository and commit."""
        return {"repo": self.repo, "commit": self.commit}

    def _resolved(self) -> str:
        from huggingface_hub import HfApi, constants
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            found = HfApi(library_name="zoo").model_info(self.repo, revision=self.revision).sha
        except RepositoryNotFoundError:
            hint = "check the name; a private one needs HF_TOKEN"
            raise UsageError(f"{self}: there is no such repository on {constants.ENDPOINT} ({hint})") from None
        except _failures() as error:
            if cached := self._cached_commit():
                return cached
            raise NetworkError(
                f"{self} cannot be reached ({_first_line(error)}), and no copy is in the cache; "
                "`weights: none` starts at random, a local folder needs no network"
            ) from None
        assert found is not None
        return found

    def _cached_commit(self) -> str | None:
        """The commit that the cache knows the revision by."""
        reference = self._cache() / "refs" / (self.revision or "main")
        return reference.read_text().strip() if reference.is_file() else None

    def _cache(self) -> Path:
        """Where the Hub's cache keeps this repository."""
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=self.repo, repo_type="model")


def _failures() -> tuple[type[Exception], ...]:
    """What huggingface_hub raises where a server cannot be reached or refuses: errors of its own and of its client."""
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]  # the client's

    return HTTPError, OfflineModeIsEnabled, OSError


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
