"""Logarithmic mel energies of sounds, frame by frame."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor
from torchaudio.functional import melscale_fbanks, spectrogram

from zoo import UsageError, ValueSpec

FLOOR = 1e-6
"""Added to every energy before the logarithm, as torchaudio's MFCC does."""
LONGEST_WINDOW = 65536


class MelFrames:
    """Turns a sound into the logarithm of the energy in mel bands, one row for each step of `hop_length` samples.

    Frames are centred on their samples and the sound has silence around it, so that a sound of one sample has a frame.
    The same numbers as `torchaudio.transforms.MelSpectrogram` with `pad_mode="constant"`, on the HTK scale of Stevens
    et al. 1937.

    Args:
        filters: `(frequencies, bands)` weight of each frequency in each band, as `mel_filters` makes them.
        n_fft: Length of the Fourier transform, in samples.
        hop_length: Step from one frame to the next, in samples.
        win_length: Length of the Hann window, in samples.
    """

    def __init__(
        self, filters: Float[Tensor, "frequencies bands"], n_fft: int, hop_length: int, win_length: int
    ) -> None:
        self.filters = filters
        self.bands = filters.shape[1]
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.window = torch.hann_window(win_length, device="cpu")

    def count(self, samples: int) -> int:
        """How many frames a sound of that many samples has."""
        return (samples - self.n_fft % 2) // self.hop_length + 1

    def __call__(self, sound: Float[Tensor, "samples"]) -> Float[Tensor, "frames bands"]:
        """The frames of a sound."""
        power = spectrogram(
            sound,
            pad=0,
            window=self.window,
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=len(self.window),
            power=2.0,
            normalized=False,
            pad_mode="constant",
        )
        return torch.log(power.T @ self.filters + FLOOR)


def mel_filters(
    rate: int, n_fft: int, n_mels: int, f_min: float = 0.0, f_max: float | None = None
) -> Float[Tensor, "frequencies bands"]:
    """Triangular filters, one for each mel band.

    Args:
        rate: Samples per second of the sound, in Hz.
        n_fft: Length of the Fourier transform, in samples.
        n_mels: Number of bands.
        f_min: Lowest frequency, in Hz.
        f_max: Highest frequency, in Hz; half of the rate for None.

    Raises:
        UsageError: Frequencies beyond half of the rate, or bands so narrow that no frequency lies in them.
    """
    highest = float(rate // 2)
    if f_min >= highest or (f_max or highest) > highest:
        name, frequency = ("f_min", f_min) if f_min >= highest else ("f_max", f_max)
        raise UsageError(
            f"`{name}` is {frequency:g} Hz, but sound at {rate} Hz holds nothing above {highest:g} Hz: "
            f"write a lower `{name}`, or a higher `sample_rate` for the input"
        )
    filters = _filters(rate, n_fft, n_mels, f_min, f_max or highest)
    if empty := _empty(filters):
        wider = fitting_n_fft(rate, n_fft, n_mels, f_min, f_max)
        advice = f"`n_fft: {wider}`, or fewer `n_mels`" if wider else "fewer `n_mels`"
        raise UsageError(
            f"{empty} of {n_mels} mel bands hold no frequency: `n_fft: {n_fft}` at {rate} Hz puts frequencies "
            f"{rate / n_fft:g} Hz apart; write {advice}"
        )
    return filters


def fitting_n_fft(rate: int, at_least: int, n_mels: int, f_min: float = 0.0, f_max: float | None = None) -> int | None:
    """The smallest power of two, not below `at_least`, that leaves no mel band empty; None where none does."""
    n_fft = 1 << (at_least - 1).bit_length()
    while n_fft <= LONGEST_WINDOW:
        if not _empty(_filters(rate, n_fft, n_mels, f_min, f_max or float(rate // 2))):
            return n_fft
        n_fft *= 2
    return None


def standardized(frames: Float[Tensor, "frames bands"]) -> Float[Tensor, "frames bands"]:
    """Frames with the mean 0 and the deviation 1 over all their numbers; 0 where all are the same, as in silence."""
    # In double precision the mean of equal numbers is that number.
    return (frames - frames.mean(dtype=torch.float64)) / frames.std(correction=0).clamp(min=1e-3)


def rate_of(value: ValueSpec) -> int:
    """Samples per second of the sounds.

    Raises:
        UsageError: The input does not tell.
    """
    if value.rate is None:
        raise UsageError("the input does not tell the rate of its sounds, which the frames are computed from")
    return value.rate


def _filters(rate: int, n_fft: int, n_mels: int, f_min: float, f_max: float) -> Float[Tensor, "frequencies bands"]:
    with torch.device("cpu"), warnings.catch_warnings():
        # Its warning of empty bands is an error here, told with what to write instead.
        warnings.simplefilter("ignore")
        filters: Tensor = melscale_fbanks(n_fft // 2 + 1, f_min, f_max, n_mels, rate)
    return filters


def _empty(filters: Float[Tensor, "frequencies bands"]) -> int:
    return int((filters.amax(0) == 0).sum())
