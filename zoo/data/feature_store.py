"""Features that a frozen backbone gave for cells, kept in memory-mapped files under what is in the cell."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from zoo.features import Features

Digests = UInt8[np.ndarray, "_rows 16"]
"""What tells cells apart: BLAKE2b of their identity."""

Places = Int[np.ndarray, "_rows 2"]
"""For each cell the number of a file and the place in it; -1 where there is none."""

FILE_SIZE = 64 << 20
"""Bytes of features in one file, about: what is held in memory while they are computed."""

SUFFIX = ".safetensors"


def digest_of(identity: bytes) -> bytes:
    """The digest of a cell's identity."""
    return hashlib.blake2b(identity, digest_size=16).digest()


@dataclass(frozen=True)
class _Kept:
    """One file: pooled features, and real tokens one row after the other."""

    pooled: Tensor
    tokens: Tensor | None
    ends: Tensor | None

    def tokens_of(self, row: int, there: bool) -> Tensor:
        assert self.tokens is not None and self.ends is not None
        if not there:
            return self.tokens[:0]
        return self.tokens[int(self.ends[row - 1]) if row else 0 : int(self.ends[row])]


class FeatureStore:
    """What one frozen backbone gave, under one set of conditions.

    Args:
        folder: Its folder, which may not be there yet.
        dim: Width of the tokens.
        with_tokens: Whether tokens are kept, or pooled features alone.
    """

    def __init__(self, folder: Path, dim: int, with_tokens: bool) -> None:
        self.folder, self._dim, self._with_tokens = folder, dim, with_tokens
        self._names: set[str] = set()
        self._files: list[_Kept] = []
        self._known: dict[bytes, tuple[int, int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Looks for files that were added since, by another process too."""
        from zoo.checkpoint.tensors import read_tensors

        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path.name in self._names:
                continue
            tensors = read_tensors(path)
            number = len(self._files)
            self._names.add(path.name)
            self._files.append(_Kept(tensors["pooled"], tensors.get("tokens"), tensors.get("ends")))
            for row, each in enumerate(tensors["digests"].numpy()):
                self._known.setdefault(each.tobytes(), (number, row))

    def find(self, digests: Digests) -> Places:
        """Where the features of cells stand."""
        found = [self._known.get(each.tobytes(), (-1, -1)) for each in digests]
        return np.array(found, np.int64).reshape(-1, 2)

    def add(self, digests: Digests, batches: Iterable[Features]) -> None:
        """Keeps the features of cells.

        Args:
            digests: Of all cells.
            batches: Their features, in order.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for start, parts in _groups(batches):
            rows = sum(len(each.pooled) for each in parts)
            self._write(digests[start : start + rows], parts)
        self.refresh()

    def features(self, places: Places) -> Features:
        """Features of some cells, as one batch. Where there is no cell, its row is a masked one.

        Args:
            places: As `find` tells them.
        """
        there = torch.from_numpy(places[:, 0] >= 0)
        pooled = self._pooled(places)
        if not self._with_tokens:
            return Features(pooled.new_zeros(()).expand(len(places), 1, self._dim), pooled).only(there)
        parts = [self._files[max(file, 0)].tokens_of(row, file >= 0) for file, row in places.tolist()]
        lengths = torch.tensor([len(each) for each in parts])
        tokens = pad_sequence(parts, batch_first=True)
        alike = bool((lengths == tokens.shape[1]).all())
        return Features(tokens, pooled, None if alike else torch.arange(tokens.shape[1]) < lengths[:, None])

    def _pooled(self, places: Places) -> Tensor:
        file = int(places[0, 0])
        if file >= 0 and (places[:, 0] == file).all():
            return self._files[file].pooled.index_select(0, torch.from_numpy(places[:, 1].copy()))
        rows = [self._files[max(file, 0)].pooled[max(row, 0)] for file, row in places.tolist()]
        return torch.stack(rows).masked_fill(torch.from_numpy(places[:, :1] < 0), 0)

    def _write(self, digests: Digests, parts: Sequence[Features]) -> None:
        """Writes a file under the name of its content, so that two processes that do it at once do no harm."""
        from zoo.checkpoint.tensors import write_tensors

        tensors = {"digests": torch.from_numpy(digests.copy()), "pooled": torch.cat([each.pooled for each in parts])}
        if self._with_tokens:
            real = [row for each in parts for row in _real_tokens(each)]
            tensors["tokens"] = torch.cat(real)
            tensors["ends"] = torch.tensor([len(row) for row in real]).cumsum(0)
        name = hashlib.blake2b(digests.tobytes(), digest_size=12).hexdigest()
        beside = self.folder / f".{name}.new"
        write_tensors(beside, tensors)
        beside.replace(self.folder / f"{name}{SUFFIX}")


def _groups(batches: Iterable[Features]) -> Iterator[tuple[int, list[Features]]]:
    """Batches that fill a file, each with the number of its first row."""
    parts: list[Features] = []
    start = size = 0
    for batch in batches:
        parts.append(batch)
        size += batch.pooled.nbytes + batch.tokens.nbytes
        if size > FILE_SIZE:
            yield start, parts
            start, parts, size = start + sum(len(each.pooled) for each in parts), [], 0
    if parts:
        yield start, parts


def _real_tokens(features: Features) -> list[Tensor]:
    """Each row's tokens without the padding behind them.

    Raises:
        ValueError: Tokens are masked between real ones.
    """
    if features.mask is None:
        return list(features.tokens)
    lengths = features.mask.sum(1)
    if not torch.equal(features.mask, torch.arange(features.mask.shape[1]) < lengths[:, None]):
        raise ValueError("tokens are masked between real ones")
    return [row[:length] for row, length in zip(features.tokens, lengths.tolist(), strict=True)]


@dataclass(frozen=True)
class StoredRows:
    """The features of the rows of a selection, by position.

    Args:
        store: Where they are.
        places: For each position, as `FeatureStore.find` tells it.
    """

    store: FeatureStore
    places: Places

    def features(self, positions: Int[np.ndarray, "rows"]) -> Features:
        """Features of some rows."""
        return self.store.features(self.places[positions])
