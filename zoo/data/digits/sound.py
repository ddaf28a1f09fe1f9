"""The digit as the tone that a telephone makes of it, in noise."""

from io import BytesIO

import numpy as np
import soundfile
from jaxtyping import Float

RATE = 8000
"""Samples per second."""

SECONDS = 0.32

TONES = {
    1: (697, 1209),
    2: (697, 1336),
    3: (697, 1477),
    4: (770, 1209),
    5: (770, 1336),
    6: (770, 1477),
    7: (852, 1209),
    8: (852, 1336),
    9: (852, 1477),
    0: (941, 1336),
}
"""Frequencies of each digit's two tones, in Hz (dual-tone multi-frequency signalling, ITU-T Q.23)."""


def sound(digit: int, useless: bool, random: np.random.Generator) -> bytes:
    """A WAV of both tones, each at a phase and a loudness of its own, in white noise.

    Args:
        digit: The digit.
        useless: Whether the noise drowns the tones, 30 dB above them; else it is 15 dB below to 5 dB above them.
        random: Source of randomness.
    """
    time = np.arange(round(RATE * SECONDS)) / RATE
    tones = np.zeros_like(time)
    for frequency in TONES[digit]:
        tones += random.uniform(0.5, 1) * np.sin(2 * np.pi * (frequency * time + random.uniform()))
    ratio = -30 if useless else random.uniform(-5, 15)
    noise = random.normal(0, 1, len(time)) * np.sqrt(np.mean(tones**2) * 10 ** (-ratio / 10))
    mixed = tones + noise
    return _wav(mixed / np.abs(mixed).max() * random.uniform(0.1, 0.9))


def _wav(samples: Float[np.ndarray, "samples"]) -> bytes:
    file = BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
