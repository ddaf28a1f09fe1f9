"""Weights at a fixed address that a library publishes as a `.pth`: fetched once, made safetensors, pinned by digest."""

import hashlib
import shutil
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.shards import SINGLE
from zoo.checkpoint.source import Source
from zoo.checkpoint.tensors import read_tensors, write_tensors
from zoo.errors import CorruptError, NetworkError
from zoo.registry.index import home

CHUNK = 1 << 20
PATIENCE = 10
"""Seconds that a server may take to tell a size."""


class Address(Source):
    """A checkpoint of a library at an https address.

    It is fetched at first use, read with `weights_only` (which runs no code), and kept as safetensors in the zoo folder
    together with the SHA-256 of what was fetched.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.folder = home() / "weights" / hashlib.sha256(url.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"`{self.url}`"

    def _found(self, name: str) -> Path | None:
        """The converted weights; there are no other files."""
        if name != SINGLE:
            return None
        if not (self.folder / SINGLE).is_file():
            self._fetch()
        return self.folder / SINGLE

    def cached(self, names: Sequence[str]) -> Mapping[str, Tensor] | None:
        """The converted weights, if they were fetched before."""
        return read_tensors(self.folder / SINGLE) if (self.folder / SINGLE).is_file() else None

    def to_fetch(self, names: Sequence[str]) -> int | None:
        """What the server says of its size, if it is not here yet."""
        if (self.folder / SINGLE).is_file():
            return 0
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, method="HEAD"), timeout=PATIENCE) as reply:
                return int(reply.headers["Content-Length"])
        except (URLError, OSError, TypeError, ValueError):
            return None

    def record(self) -> dict[str, Any]:
        """The address, and the SHA-256 of what was fetched from it."""
        self.path(SINGLE)
        return {"url": self.url, "sha256": (self.folder / "sha256").read_text().strip()}

    def _fetch(self) -> None:
        """Fetches and converts into a folder beside, which then takes its place whole."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with passing_folder("fetching", within=self.folder.parent) as passing:
            beside = passing / "weights"
            beside.mkdir()
            raw = passing / "raw"
            (beside / "sha256").write_text(self._download(raw) + "\n")
            write_tensors(beside / SINGLE, _checkpoint(raw, self.url))
            if not self.folder.exists():
                shutil.move(beside, self.folder)

    def _download(self, target: Path) -> str:
        sha = hashlib.sha256()
        try:
            with urllib.request.urlopen(self.url, timeout=30) as reply, target.open("wb") as file:
                while piece := reply.read(CHUNK):
                    sha.update(piece)
                    file.write(piece)
        except (URLError, OSError) as error:
            raise NetworkError(f"{self} cannot be fetched: {getattr(error, 'reason', error)}") from None
        return sha.hexdigest()


def _checkpoint(path: Path, url: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint, bare or under `state_dict` or `model`."""
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CorruptError(f"`{url}` is no checkpoint that can be read safely: {error}") from None
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict):
        raise CorruptError(f"`{url}` holds a {type(loaded).__name__} and no tensors by name")
    return {name: each.clone() for name, each in loaded.items() if isinstance(each, Tensor)}
