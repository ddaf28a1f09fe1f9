"""Texts."""

import unicodedata
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look, digest_of

HASHES = 64
SHINGLE = 3
"""Words of a shingle."""

LONGEST = 4096
"""Words of a text that its sketch is made from, the first ones."""

_random = np.random.default_rng(0)
FACTORS = _random.integers(1, 2**63, HASHES, dtype=np.uint64) | np.uint64(1)
OFFSETS = _random.integers(0, 2**63, HASHES, dtype=np.uint64)


def look_at_text(value: str, cell: Any, folder: Path, spec: ValueSpec) -> Look:
    """What is seen of a text. Texts that differ in case and white space alone count as the same.

    How many tokens it has its tokenizer knows; one with more words than tokens are taken is longer in any case.
    """
    words = value.casefold().split()
    beyond = bool(spec.max_length and len(words) > spec.max_length)
    return Look(
        digest_of(" ".join(words).encode()), {"words": len(words)}, beyond, _traits(value), minhash(words), value
    )


def minhash(words: list[str]) -> NDArray[np.uint8]:
    """`(128,)`: 64 hashes of 16 bits; equal ones are as frequent as shingles that two texts share (Broder 1997)."""
    count = max(1, min(len(words), LONGEST) - SHINGLE + 1)
    shingles = {crc32(" ".join(words[start : start + SHINGLE]).encode()) for start in range(count)}
    hashed = np.fromiter(shingles, np.uint64, len(shingles))
    least = (hashed[:, None] * FACTORS + OFFSETS).min(0)
    return np.asarray((least >> np.uint64(16)).astype(np.uint16).view(np.uint8))


def _traits(text: str) -> tuple[str, ...]:
    found = []
    if not text.strip():
        found.append("empty")
    if "\0" in text or any(unicodedata.category(each) == "Cc" and each not in "\t\n\r" for each in text[:LONGEST]):
        found.append("control characters")
    if "\ufffd" in text:
        found.append("characters that were lost (U+FFFD)")
    return tuple(found)
