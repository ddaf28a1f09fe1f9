"""Masks on pictures of sounds: SpecAugment (Park et al. 2019), without time warping."""

import torch
from jaxtyping import Float
from torch import Tensor

from zoo import AugmentContext
from zoo_torchaudio.frontends import SpecAugment


class SpecAugmented:
    """A picture of bands by frames in which some neighbouring bands, and some frames, are filled with its mean."""

    def __init__(self, options: SpecAugment, context: AugmentContext) -> None:
        self.bands, self.frames, self.masks = options.bands, options.frames, options.masks

    def __call__(self, value: Float[Tensor, "1 bands frames"]) -> Float[Tensor, "1 bands frames"]:
        """The masked picture. Masks are as wide as the sound's own frames allow, whatever is filled up behind them."""
        masked, mean = value.clone(), value.mean()
        bands, frames = value.shape[1], _real_frames(value)
        for _ in range(self.masks):
            low, high = _run(bands, self.bands)
            masked[:, low:high] = mean
            first, last = _run(frames, self.frames)
            masked[..., first:last] = mean
        return masked


def _run(length: int, share: float) -> tuple[int, int]:
    """Start and end of a random run, at most a share of the length."""
    wide, begin = torch.rand(2).tolist()
    size = int(wide * (share * length + 1))
    start = int(begin * (length - size + 1))
    return start, start + size


def _real_frames(picture: Float[Tensor, "1 bands frames"]) -> int:
    """How many frames there are before those, all alike, that fill the picture up."""
    unlike = (picture != picture[..., -1:]).any(1)[0].nonzero()
    return int(unlike.max()) + 1 if len(unlike) else picture.shape[-1]
