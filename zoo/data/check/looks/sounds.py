"""Sounds."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look, digest_of, file_of

ENDLESS = 0x7FFF0000
"""Bytes from which on the length in a header is none."""

FRAMES, BANDS = 9, 17
LOWEST = 50.0
"""Lower end of the lowest band, in Hz."""

SILENT = 1e-4
"""Largest sample of a sound that counts as silent: 80 dB below full scale."""

SHORT = 0.01
"""Seconds below which a sound is worth a look."""


def look_at_sound(value: Tensor, cell: Any, folder: Path, spec: ValueSpec) -> Look:
    """What is seen of a sound `(samples,)`, and of the file that it comes from."""
    rate = spec.rate or 16000
    sound = value.numpy(force=True)
    seconds, traits = _file(cell, folder, len(sound) / rate, rate)
    if len(sound) < 0.95 * min(seconds * rate, spec.max_length or np.inf) - 1:
        traits.append("cut short: its header promises more")
    if np.abs(sound).max() < SILENT:
        traits.append("silent")
    if seconds < SHORT:
        traits.append("shorter than 10 ms")
    beyond = bool(spec.max_length and seconds > spec.max_length / rate + 1e-6)
    energy = band_energy(sound, rate)
    sketch = np.concatenate([_bits(energy), np.array([len(sound)], np.uint64).view(np.uint8)])
    return Look(digest_of(sound.tobytes()), {"seconds": seconds}, beyond, tuple(traits), sketch, energy.ravel())


def band_energy(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """`(9, 17)`: log energy of nine equal parts in bands whose width grows with their frequency."""
    padded = np.pad(sound, (0, max(0, 64 * FRAMES - len(sound))))
    length = len(padded) // FRAMES
    spectrum = np.abs(np.fft.rfft(padded[: length * FRAMES].reshape(FRAMES, length) * np.hanning(length))) ** 2
    edges = np.geomspace(LOWEST, rate / 2, BANDS + 1) / (rate / 2) * (spectrum.shape[1] - 1)
    starts = np.minimum(np.maximum.accumulate(edges[:-1].astype(np.int64)), spectrum.shape[1] - 1)
    return np.log(np.add.reduceat(spectrum, starts, axis=1) / length + 1e-9).astype(np.float32)


def _bits(energy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`(16,)`: 128 bits (Haitsma and Kalker 2002).

    A bit is the sign of how the difference between neighbouring bands changes from part to part.
    """
    slope = energy[:, 1:] - energy[:, :-1]
    return np.packbits(slope[1:] > slope[:-1])


def _file(cell: Any, folder: Path, seconds: float, rate: int) -> tuple[float, list[str]]:
    """How long the sound is in all, and what is unusual about its file.

    Args:
        cell: The cell.
        folder: Where relative paths start.
        seconds: How long the part is that was decoded.
        rate: The input's rate.
    """
    import soundfile

    source = file_of(cell, folder)
    if source is None or (isinstance(cell, Mapping) and cell.get("array") is not None):
        return seconds, []
    found: list[str] = []
    with suppress(Exception):  # it was decoded already: this is for information
        told = soundfile.info(source, verbose=True)
        if told.channels > 1:
            found.append(f"{told.channels} channels, averaged")
        if told.samplerate < rate:
            found.append(f"{told.samplerate} Hz, below the input's {rate}")
        elif told.samplerate != rate:
            found.append(f"{told.samplerate} Hz, resampled")
        suffix = source.suffix[1:].upper() if isinstance(source, Path) else ""
        if suffix in soundfile.available_formats() and not told.format.startswith(suffix):
            found.append(f"A {told.format} file called .{suffix.lower()}")
        if _is_cut(told.extra_info):
            found.append("cut short: its header promises more")
        seconds = told.frames / told.samplerate
    return seconds, found


def _is_cut(extra: str) -> bool:
    """Whether a WAV file has fewer bytes than it says; one that was written into a pipe says that it has endless."""
    told = re.search(r"data : (\d+) \(should be (\d+)\)", extra)
    return bool(told and int(told[2]) < int(told[1]) < ENDLESS)
