"""Sounds: files, bytes and arrays become one channel at one rate."""

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from math import ceil
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
from zoo_core.inputs.cells import shown, stored, without_torch


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
        if not len(sound):
            raise ValueError("the sound has no samples; leave the cell empty (null) where there is none")
        if not np.isfinite(sound).all():
            raise ValueError("the sound has samples that are NaN or infinite")
        return _resampled(torch.from_numpy(sound), rate, self.rate)[: self.longest]

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
        if not isinstance(rate, (int, np.integer)) or rate < 1:
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


def _resampled(sound: Float32[Tensor, "samples"], rate: int, wanted: int) -> Float32[Tensor, "resampled"]:
    """The sound at another rate (windowed sinc interpolation, torchaudio).

    The filter has a row for each phase between the rates: those from 11,127 Hz to 16,000 Hz, which share no divisor,
    take seconds and gigabytes. The ratio is therefore rounded to a fraction with a denominator of at most 1000. Those
    of common rates are such; others come out wrong by 0.05 % at most, a hundredth of a semitone.
    """
    ratio = Fraction(max(rate, wanted), min(rate, wanted)).limit_denominator(1000)
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
