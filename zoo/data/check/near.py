"""Near duplicates: pairs of sketches that hardly differ, found without comparing each with each."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray

from zoo.component import Modality

NEIGHBOURS = 4
"""How many of those behind it, in the order of a band, each sketch is compared with."""

Sketches = UInt8[np.ndarray, "rows bytes"]
Pairs = Int[np.ndarray, "pairs 2"]
Alike = Callable[[Sketches, Sketches], NDArray[np.bool_]]


def near_pairs(sketches: Sketches, modality: str) -> Pairs:
    """Positions of sketches that are nearly the same, each pair once, the smaller first.

    Sketches are sorted by one band of their bits after the other, and each is compared with those next to it that have
    the same band (locality-sensitive hashing, Indyk and Motwani 1998, with the windows of Hernandez and Stolfo 1995):
    time and memory grow with their number, however many are alike.

    Args:
        sketches: Of values that differ from each other.
        modality: Which one they are of.
    """
    bytes_of_band, length = BANDS[modality]
    found: list[Pairs] = [np.empty((0, 2), np.int64)]
    for start in range(0, length, bytes_of_band):
        band = np.ascontiguousarray(sketches[:, start : start + bytes_of_band]).view(f"u{bytes_of_band}")[:, 0]
        # Behind the band the rest decides, so that the most alike of a large band stand next to each other.
        rest = np.ascontiguousarray(np.roll(sketches[:, :length], -start - bytes_of_band, axis=1)[:, :8]).view(">u8")
        order = np.lexsort((rest[:, 0], band))
        for step in range(1, NEIGHBOURS + 1):
            first, second = order[:-step], order[step:]
            same = band[first] == band[second]
            first, second = first[same], second[same]
            alike = ALIKE[modality](sketches[first], sketches[second])
            found.append(np.sort(np.stack([first[alike], second[alike]], axis=1), axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _alike_pictures(one: Sketches, other: Sketches) -> NDArray[np.bool_]:
    """At most 6 of 128 bits differ, and no grey value by more than 24 of 255, nor by 2.5 in the mean."""
    close = _differing(one[:, :16], other[:, :16]) <= 6
    grey = np.abs(one[close, 16:].astype(np.int16) - other[close, 16:])
    close[close] = (grey.max(1, initial=0) <= 24) & (grey.mean(1) <= 2.5)
    return np.asarray(close)


def _alike_sounds(one: Sketches, other: Sketches) -> NDArray[np.bool_]:
    """At most 12 of 128 bits differ, and the lengths by 2 %."""
    lengths = [np.ascontiguousarray(each[:, 16:24]).view(np.uint64)[:, 0].astype(float) for each in (one, other)]
    bits = _differing(one[:, :16], other[:, :16])
    return np.asarray((bits <= 12) & (np.abs(lengths[0] - lengths[1]) <= 0.02 * np.maximum(*lengths)))


def _alike_texts(one: Sketches, other: Sketches) -> NDArray[np.bool_]:
    """At least 8 of 10 shingles are shared, estimated from 64 hashes."""
    same = np.ascontiguousarray(one).view(np.uint16) == np.ascontiguousarray(other).view(np.uint16)
    return np.asarray(same.mean(1) >= 0.8)


def _differing(one: Sketches, other: Sketches) -> Float[np.ndarray, "pairs"]:
    """How many bits differ."""
    return np.asarray(np.unpackbits(one ^ other, axis=1).sum(1), np.float64)


BANDS: Mapping[str, tuple[int, int]] = {Modality.IMAGE: (2, 16), Modality.AUDIO: (1, 16), Modality.TEXT: (8, 128)}
"""Bytes of a band, and of all bands of a sketch. 6 bits that differ leave two of the eight bands of a picture alone;
four hashes make a band of a text, so that of two that share 8 of 10 shingles one in 4,000 is missed (1 - 0.8^4)^16."""

ALIKE: Mapping[str, Alike] = {
    Modality.IMAGE: _alike_pictures,
    Modality.AUDIO: _alike_sounds,
    Modality.TEXT: _alike_texts,
}
