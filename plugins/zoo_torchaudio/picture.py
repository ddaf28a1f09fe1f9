"""Sound as a picture of a size that is known beforehand."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from zoo import Frontend, Modality, UsageError, ValueSpec
from zoo_torchaudio.mel import standardized


@runtime_checkable
class Frames(Protocol):
    """Turns a sound into frames."""

    bands: int

    def count(self, samples: int) -> int:
        """How many frames a sound of that many samples has."""

    def __call__(self, sound: Float[Tensor, "samples"]) -> Float[Tensor, "frames bands"]:
        """The frames of a sound."""


class Picture(Frontend):
    """Frames as a picture of one channel, `(1, bands, frames)`, as wide as the input's longest sound needs.

    The width is the same for all sounds, so that a picture depends on its own sound alone. What a sound lacks is
    filled: with frames of silence, or, in a standardised picture, with 0, the mean of its real frames.

    Args:
        frames: Turns a sound into frames.
        sound: The sounds that it is given.
        standardize: Give the real frames of every picture the mean 0 and the deviation 1.

    Raises:
        UsageError: The input has no longest sound.
    """

    def __init__(self, frames: Frames, sound: ValueSpec, standardize: bool) -> None:
        if sound.max_length is None:
            raise UsageError("a picture needs a width, but the input has no longest sound: write `max_seconds` for it")
        self.frames = frames
        self.samples = sound.max_length
        self.standardize = standardize
        shape = (1, frames.bands, frames.count(sound.max_length))
        self.value = ValueSpec(modality=Modality.IMAGE, shape=shape, standardized=standardize)

    def __call__(self, value: Float[Tensor, "samples"]) -> Float[Tensor, "1 bands frames"]:
        """The picture of a sound; what is longer than the longest sound is cut off."""
        frames = self.frames(value[: self.samples])
        if self.standardize:
            frames, blank = standardized(frames), frames.new_zeros(frames.shape[1])
        else:
            blank = self.frames(value.new_zeros(1))[0]
        missing = self.frames.count(self.samples) - len(frames)
        return torch.cat([frames, blank.expand(missing, -1)]).T.unsqueeze(0)
