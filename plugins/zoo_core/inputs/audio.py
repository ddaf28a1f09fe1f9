"""Sounds: files, bytes and arrays become one channel at one rate."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from math import ceil, isqrt
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from jaxtyping import Float32
from numpy.typing import NDArray
from torch import Tensor

from zoo.component import Modality
from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Audio
from zoo_core.inputs.cells import check_file, file_identity, shown, stored, without_torch

_FASTEST = 10_000_000
"""Rate in Hz beyond which a file is taken to be damaged; ultrasound is recorded at 500,000."""

_FILTER = 4_000_000
"""Numbers in the largest filter between two rates, about."""


def build(options: Audio, context: InputContext) -> "AudioInput":
    """The input of sounds."""
    return AudioInput(options)


class AudioInput(InputType):
    """Decodes sounds, as libsndfile does: channels are averaged, the rate is changed, what is too long is cut off."""

    def __init__(self, options: Audio) -> None:
        self.rate = options.sample_rate
        self.seconds = options.max_seconds
        self.longest = max(1, round(options.max_seconds * options.sample_rate))
        self.value = ValueSpec(modality=Modality.AUDIO, shape=(None,), rate=self.rate, max_length=self.longest)

    def check(self, cell: Any, folder: Path) -> None:
        """Looks whether the file is there that a cell names."""
        check_file(cell, folder, "a sound")

    def identity(self, cell: Any, folder: Path) -> bytes:
        """What tells the file of a cell from others."""
        known = file_identity(cell, folder)
        return super().identity(cell, folder) if known is None else known

    def decode(self, cell: Any, folder: Path) -> Float32[Tensor, "samples"]:
        """The sound of a cell.

        Args:
            cell: A file's path, its bytes or both as `{bytes, path}`; or decoded, as `{array, sampling_rate}` with
                floats between -1 and 1, `(samples,)` or `(channels, samples)`.
            folder: Where relative paths start.

        Raises:
            ValueError: It is no sound, is damaged or empty, or has samples that are not finite.
        """
        if isinstance(cell, Mapping) and cell.get("array") is not None:
            sound, rate = self._decoded(cell["array"], cell.get("sampling_rate"))
        else:
            sound, rate = self._read(stored(cell, folder, "a sound"))
        if not 0 < rate <= _FASTEST:
            raise ValueError(f"the sound has {rate} samples per second; expected 1 to {_FASTEST}")
        if not len(sound):
            raise ValueError("the sound has no samples; leave the cell empty (null) where there is none")
        if not np.isfinite(sound).all():
            raise ValueError("the sound has samples that are NaN or infinite")
        return resampled(torch.from_numpy(sound), rate, self.rate)[: self.longest]

    def _read(self, source: BytesIO | Path) -> tuple[NDArray[np.float32], int]:
        """The beginning of a file, as much as is needed, and its rate in Hz."""
        try:
            with soundfile.SoundFile(source) as file:
                rate: int = file.samplerate
                sound = file.read(ceil(self.seconds * rate), dtype="float32")
        except Exception as error:  # a damaged file can trip a decoder over anything
            reason = getattr(error, "error_string", error)
            raise ValueError(f"the file is no sound that libsndfile reads, or is damaged: {reason}") from error
        return (sound.mean(1) if sound.ndim == 2 else sound), rate

    def _decoded(self, array: Any, rate: Any) -> tuple[NDArray[np.float32], int]:
        if not isinstance(rate, (int, np.integer)):
            raise ValueError(f"`sampling_rate` is {shown(rate)}; expected samples per second, a whole number")
        try:
            sound = np.asarray(without_torch(array))
        except ValueError:
            raise ValueError("the channels of `array` have different lengths") from None
        if sound.dtype.kind != "f" or sound.ndim not in (1, 2):
            shape = " x ".join(map(str, sound.shape))
            expected = "expected floats between -1 and 1, samples or channels x samples"
            raise ValueError(f"`array` holds {sound.dtype}, {shape}; {expected}")
        sound = sound[..., : ceil(self.seconds * int(rate))].astype(np.float32)
        return (sound.mean(0) if sound.ndim == 2 else sound), int(rate)


def resampled(sound: Float32[Tensor, "samples"], rate: int, wanted: int) -> Float32[Tensor, "resampled"]:
    """The sound at another rate (windowed sinc interpolation, torchaudio).

    The filter grows with the reduced rates' product: from 11,127 Hz to 16,000 Hz, which share no divisor, it takes
    seconds and gigabytes. Such a ratio is rounded to a fraction of smaller numbers, by 0.03 % at most, which is half a
    hundredth of a semitone. The ratios of common rates stay as they are.
    """
    ratio = Fraction(max(rate, wanted), min(rate, wanted))
    ratio = ratio.limit_denominator(isqrt(_FILTER * ratio.denominator // ratio.numerator))
    if ratio == 1:
        return sound
    high, low = ratio.numerator, ratio.denominator
    resampler = _resampler(high, low) if rate > wanted else _resampler(low, high)
    resampled: Tensor = resampler(sound)
    return resampled


@lru_cache(maxsize=8)
def _resampler(rate: int, wanted: int) -> Any:
    """The filter between two rates, which takes longer to compute than to apply."""
    from torchaudio.transforms import Resample  # here, because most data have the rate already

    return Resample(rate, wanted).cpu()
