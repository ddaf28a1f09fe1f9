"""Augmentations of sounds: float32 between -1 and 1."""

import torch
from jaxtyping import Float32
from torch import Tensor

from zoo import AugmentContext
from zoo_core.declarations.augment import Gain, Shift, SoundNoise, Speed
from zoo_core.inputs.audio import resampled

Sound = Float32[Tensor, "samples"]


class Sped:
    """A sound slower, faster, or as it is; what is longer than the input's longest is cut off."""

    def __init__(self, options: Speed, context: AugmentContext) -> None:
        self.percent = max(1, round(100 * options.change))
        self.longest = context.value.max_length

    def __call__(self, value: Sound) -> Float32[Tensor, "changed"]:
        """The sound at one of three speeds."""
        percent = 100 + self.percent * (int(torch.randint(3, ())) - 1)
        return resampled(value, percent, 100)[: self.longest]


class Shifted:
    """A sound moved in time, in silence."""

    def __init__(self, options: Shift, context: AugmentContext) -> None:
        self.most = round(options.seconds * (context.value.rate or 16000))

    def __call__(self, value: Sound) -> Sound:
        """The sound, as long as it was."""
        most = min(self.most, len(value) // 4)
        by = int(torch.randint(-most, most + 1, ()))
        silence = value.new_zeros(abs(by))
        return torch.cat([silence, value[: len(value) - by]]) if by > 0 else torch.cat([value[-by:], silence])


class Amplified:
    """A sound at another loudness."""

    def __init__(self, options: Gain, context: AugmentContext) -> None:
        self.decibels = options.decibels

    def __call__(self, value: Sound) -> Sound:
        """The sound, by so much louder that it reaches 1, or quieter."""
        factor = 10 ** (self.decibels * (2 * torch.rand(()).item() - 1) / 20)
        peak = value.abs().max().item()
        return value * (factor if factor <= 1 or not peak else max(1.0, min(factor, 1 / peak)))


class Noisy:
    """A sound in white noise; silence stays silent."""

    def __init__(self, options: SoundNoise, context: AugmentContext) -> None:
        self.loudest, self.quietest = options.loudest, options.quietest

    def __call__(self, value: Sound) -> Sound:
        """The sound and the noise, clipped at 1."""
        ratio = self.loudest + (self.quietest - self.loudest) * torch.rand(()).item()
        scale = value.square().mean().sqrt() * 10 ** (-ratio / 20)
        return (value + scale * torch.randn(value.shape)).clamp(-1, 1)
