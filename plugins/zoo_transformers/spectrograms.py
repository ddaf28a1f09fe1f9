"""Sounds as log-mel spectrograms of fixed length: Whisper's encoder and the Audio Spectrogram Transformer."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from transformers.models.audio_spectrogram_transformer import ASTFeatureExtractor
from transformers.models.whisper import WhisperFeatureExtractor

from zoo import BackboneContext, FeatureSpec, UsageError, Values
from zoo_transformers.audio import AudioEncoder
from zoo_transformers.configuration import Configured
from zoo_transformers.declaration import Transformers
from zoo_transformers.network import width_of
from zoo_transformers.pool import Way
from zoo_transformers.sounds import Spectrogram

FRAME, WINDOW = 160, 400
"""Samples from one frame of the spectrogram to the next, and samples in one, of both networks."""


class SpectrogramEncoder(AudioEncoder):
    """Layers over a window of fixed length; what is shorter is followed by silence, which the network hears."""

    def __init__(self, options: Transformers, context: BackboneContext, configured: Configured) -> None:
        super().__init__(options, context, configured)
        frames, bins = self.frames_and_bins()
        samples = frames * FRAME
        if self.longest is not None and self.longest > samples:
            seconds = samples / self.rate
            raise UsageError(
                f"`{configured.model_type}` hears {seconds:g} seconds, and the input gives up to "
                f"{self.longest / self.rate:g}; write `max_seconds: {seconds:g}` under the input"
            )
        self.prepare = Spectrogram(self.extractor(frames, bins), self.main, WINDOW)
        self.features = FeatureSpec(width_of(self.config), width_of(self.config), self.tokens())

    def read(self, values: Values) -> tuple[Float[Tensor, "batch rows columns"], dict[str, Tensor], None]:
        """The spectrograms; all their frames are real."""
        assert isinstance(values.data, Tensor)
        return values.data, {}, None

    def stored(self) -> dict[str, Any]:
        """What the file beside the weights says of the feature extractor."""
        return {**self.settings, "sampling_rate": self.rate}

    @abstractmethod
    def frames_and_bins(self) -> tuple[int, int]:
        """Frames in the window, and mel bins."""

    @abstractmethod
    def tokens(self) -> int:
        """Tokens that a spectrogram becomes."""

    @abstractmethod
    def extractor(self, frames: int, bins: int) -> Any:
        """The library's feature extractor for such a window."""


class WhisperEncoder(SpectrogramEncoder):
    """Whisper's encoder: two convolutions, then layers over frames of 20 milliseconds."""

    main = "input_features"

    def example(self, batch: int) -> Values:
        """Spectrograms `(batch, bins, frames)`."""
        frames, bins = self.frames_and_bins()
        return Values(torch.zeros(batch, bins, frames))

    def frames_and_bins(self) -> tuple[int, int]:
        """Two frames of the spectrogram for each position."""
        return 2 * self.config.max_source_positions, self.config.num_mel_bins

    def tokens(self) -> int:
        """One for each position."""
        return int(self.config.max_source_positions)

    def extractor(self, frames: int, bins: int) -> WhisperFeatureExtractor:
        """Log-mel features, the loudest 8 decades of them, as Whisper was trained with."""
        extractor = WhisperFeatureExtractor(feature_size=bins, sampling_rate=self.rate, hop_length=FRAME, n_fft=WINDOW)
        extractor.n_samples, extractor.nb_max_frames = frames * FRAME, frames
        return extractor


class PatchEncoder(SpectrogramEncoder):
    """The Audio Spectrogram Transformer: a vision transformer over overlapping patches of the spectrogram."""

    main = embedded = "input_values"
    ways: ClassVar[Mapping[str, Way]] = {"auto": "network", "first": "first", "mean": "mean", "max": "max"}
    special = 2

    def example(self, batch: int) -> Values:
        """Spectrograms `(batch, frames, bins)`."""
        return Values(torch.zeros(batch, *self.frames_and_bins()))

    def frames_and_bins(self) -> tuple[int, int]:
        """Those of the configuration."""
        return self.config.max_length, self.config.num_mel_bins

    def tokens(self) -> int:
        """Patches, and a class and a distillation token in front."""
        across = (self.config.num_mel_bins - self.config.patch_size) // self.config.frequency_stride + 1
        along = (self.config.max_length - self.config.patch_size) // self.config.time_stride + 1
        return int(across * along + self.special)

    def extractor(self, frames: int, bins: int) -> ASTFeatureExtractor:
        """Kaldi's log-mel features, standardised by what the weights were trained on."""
        said = {key: self.settings[key] for key in ("do_normalize", "mean", "std") if key in self.settings}
        return ASTFeatureExtractor(sampling_rate=self.rate, num_mel_bins=bins, max_length=frames, **said)
