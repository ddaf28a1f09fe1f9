"""Weights on the Hugging Face Hub, pinned to a commit."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.checkpoint.repository import Repository, failures
from zoo.checkpoint.shards import PICKLES
from zoo.checkpoint.source import Folder, Source
from zoo.errors import CorruptError, UsageError

SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")


class HubRepository(Source):
    """A model repository on the Hub, or where `HF_ENDPOINT` points.

    Args:
        repo: `owner/name`.
        revision: A commit, branch or tag; the default branch unless said. It is resolved to a commit at first use.
    """

    def __init__(self, repo: str, revision: str | None = None) -> None:
        self.repo = repo
        otherwise = "`weights: none` starts at random, a local folder needs no network"
        self._repository = Repository("model", repo, revision, otherwise)

    def __str__(self) -> str:
        return str(self._repository)

    @property
    def commit(self) -> str:
        """The commit, in 40 hexadecimal digits."""
        return self._repository.commit

    @property
    def remarks(self) -> Sequence[str]:
        """That the cache was believed, because the Hub could not be asked."""
        return self._repository.remarks

    def _found(self, name: str) -> Path | None:
        """The file in the Hub's cache, downloaded at the pinned commit if it is not there yet."""
        return self._repository.path(name)

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The weights in the Hub's cache, if they are there, and whole."""
        snapshot = self._repository.cached_snapshot()
        if snapshot is None:
            return None
        try:
            return Folder(snapshot).tensors(names)
        except (UsageError, CorruptError):
            return None

    def pickles(self) -> list[str]:
        """Those that the Hub lists."""
        return [name for name in self._repository.names() if name.endswith(PICKLES)]

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """What the Hub says of the file's size, or of all shards, if they are not in the cache yet."""
        if self.cached(names) is not None:
            return 0
        from huggingface_hub import HfApi

        try:
            api = HfApi(library_name="zoo")
            files = api.model_info(self.repo, revision=self._repository.asked, files_metadata=True).siblings
        except failures():
            return None
        sizes = {each.rfilename: each.size or 0 for each in files or ()}
        single = next((sizes[name] for name in names if name in sizes), None)
        return single or sum(size for name, size in sizes.items() if SHARD.fullmatch(name)) or None

    def record(self) -> dict[str, Any]:
        """Repository and commit."""
        return {"repo": self.repo, "commit": self.commit}
