"""The front end `torchaudio/mfcc`."""

import torch
from jaxtyping import Float
from torch import Tensor
from torchaudio.functional import create_dct

from zoo import Frontend, FrontendContext
from zoo_torchaudio.frontends import MFCC
from zoo_torchaudio.log_mel import mel_frames
from zoo_torchaudio.mel import MelFrames
from zoo_torchaudio.picture import Picture


class CepstralFrames:
    """Turns a sound into mel-frequency cepstral coefficients (Davis and Mermelstein 1980), frame by frame.

    The orthonormal discrete cosine transform of logarithmic mel energies: `torchaudio.transforms.MFCC` with
    `log_mels=True`. Decibels below the loudest frame, its default, would make each frame depend on all others.

    Args:
        mel: Turns a sound into logarithmic mel energies.
        n_mfcc: Coefficients kept.
    """

    def __init__(self, mel: MelFrames, n_mfcc: int) -> None:
        self.mel = mel
        self.bands = n_mfcc
        with torch.device("cpu"):
            self.cosines: Tensor = create_dct(n_mfcc, mel.bands, norm="ortho")

    def count(self, samples: int) -> int:
        """How many frames a sound of that many samples has."""
        return self.mel.count(samples)

    def __call__(self, sound: Float[Tensor, "samples"]) -> Float[Tensor, "frames coefficients"]:
        """The frames of a sound."""
        return self.mel(sound) @ self.cosines


def build(options: MFCC, context: FrontendContext) -> Frontend:
    """A picture of cepstral coefficients by frames.

    Raises:
        UsageError: Frequencies or bands that sound at this rate does not have, or an input without a longest sound.
    """
    frames = CepstralFrames(mel_frames(options, context.value), options.n_mfcc)
    return Picture(frames, context.value, options.standardize)
