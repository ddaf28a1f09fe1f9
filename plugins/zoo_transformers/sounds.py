"""From a sound to what an audio network reads. Worker processes import this, and so it imports no transformers."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Waveform:
    """Standardises a sound, if its weights were trained so.

    Args:
        standardize: Whether each sound gets mean 0 and variance 1.
        shortest: Fewest samples that the network makes a frame of; zeros follow what is shorter.
    """

    standardize: bool
    shortest: int

    def __call__(self, sound: Float[Tensor, "_samples"]) -> Float[Tensor, "samples"]:
        """The sound as the network reads it."""
        sound = torch.as_tensor(sound, dtype=torch.float32)
        if self.standardize and len(sound):
            sound = (sound - sound.mean()) / (sound.var(correction=0) + 1e-7).sqrt()
        return pad(sound, (0, max(0, self.shortest - len(sound))))


@dataclass(frozen=True)
class Spectrogram:
    """Log-mel features of a window of fixed length, by a feature extractor of transformers.

    Args:
        extractor: The extractor, which holds mel filters and no weights.
        key: What it calls its result.
        shortest: Fewest samples that it can read; zeros follow what is shorter.
    """

    extractor: Any
    key: str
    shortest: int

    def __call__(self, sound: Float[Tensor, "_samples"]) -> Float[Tensor, "_rows _columns"]:
        """The features as the network reads them: mel bins by frames for Whisper, frames by mel bins for AST."""
        sound = torch.as_tensor(sound, dtype=torch.float32)
        sound = pad(sound, (0, max(0, self.shortest - len(sound))))
        made = self.extractor(sound.numpy(), sampling_rate=self.extractor.sampling_rate, return_tensors="pt")
        features: Tensor = made[self.key][0]
        return features
