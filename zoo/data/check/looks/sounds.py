"""Sounds."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.contract import ValueSpec
from zoo.data.check.looks.look import Look, digest_of, file_of

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
    """How long the sound is in all, and what is unusual about its file."""
    import soundfile

    if isinstance(cell, Mapping) and cell.get("array") is not None:
        return seconds, []
    found = []
    source = file_of(cell, folder)
    with suppress(Exception):  # it was decoded already: this is for information
        told = soundfile.info(source)
        seconds = told.frames / told.samplerate
        if told.channels > 1:
            found.append(f"{told.channels} channels, averaged")
        if told.samplerate < rate:
            found.append(f"{told.samplerate} Hz, below the input's rate: nothing is heard above half of it")
        elif told.samplerate != rate:
            found.append(f"{told.samplerate} Hz, resampled")
    return seconds, found
