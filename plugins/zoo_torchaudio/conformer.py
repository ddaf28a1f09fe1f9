"""The backbone `torchaudio/conformer`: convolution and attention over log-mel frames (Gulati et al. 2020)."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo import Backbone, BackboneContext, Features, FeatureSpec, Values, ValueSpec
from zoo.features import masked_mean
from zoo_torchaudio.backbones import Conformer as Options
from zoo_torchaudio.conformer_layer import ConformerLayer
from zoo_torchaudio.mel import MelFrames, fitting_n_fft, mel_filters, rate_of, standardized

BANDS = 80
STACKED = 4
LONGEST = 10
"""Seconds of the example where the input has no longest sound."""


class StackedFrames:
    """Turns a sound into what the Conformer reads: four log-mel frames of 25 ms, 10 ms apart, side by side.

    80 mel bands, standardised over the sound. The frames that the last token lacks are 0, the mean. Computed for each
    sound by itself, so that no frame knows of padding. Stacking takes the place of the paper's convolutional
    subsampling, to the same 40 ms, as torchaudio's RNN-T encoder does.

    Args:
        rate: Samples per second of the sounds, in Hz.
    """

    def __init__(self, rate: int) -> None:
        window = rate * 25 // 1000
        n_fft = fitting_n_fft(rate, window, BANDS) or window
        self.mel = MelFrames(mel_filters(rate, n_fft, BANDS), n_fft, hop_length=rate // 100, win_length=window)

    def count(self, samples: int) -> int:
        """How many tokens a sound of that many samples has."""
        return -(-self.mel.count(samples) // STACKED)

    def __call__(self, sound: Float[Tensor, "samples"]) -> Float[Tensor, "tokens stacked"]:
        """The tokens of a sound."""
        frames = standardized(self.mel(sound))
        return nn.functional.pad(frames, (0, 0, 0, -len(frames) % STACKED)).reshape(-1, STACKED * BANDS)


class Conformer(Backbone):
    """Conformer layers over stacked log-mel frames, pooled by their mean.

    Args:
        options: Sizes.
        value: The sounds that it is given.
    """

    def __init__(self, options: Options, value: ValueSpec) -> None:
        super().__init__()
        rate = rate_of(value)
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim)
        self.prepare: StackedFrames = StackedFrames(rate)
        self.longest = self.prepare.count(value.max_length or LONGEST * rate)
        self.projection = nn.Linear(STACKED * BANDS, options.dim)
        self.dropout = nn.Dropout(options.dropout)
        self.layers = nn.ModuleList(
            ConformerLayer(options.dim, options.heads, options.kernel_size, options.dropout)
            for _ in range(options.layers)
        )

    def forward(self, values: Values) -> Features:
        """Features of stacked frames, `(batch, tokens, 320)`; tokens are 40 ms apart."""
        *_, tokens = self._states(values)
        return Features(tokens, masked_mean(tokens, values.mask), values.mask)

    def stages(self, values: Values) -> list[Float[Tensor, "batch dim"]]:
        """The mean of the tokens behind each layer."""
        return [masked_mean(tokens, values.mask) for tokens in self._states(values)]

    def _states(self, values: Values) -> Iterator[Float[Tensor, "batch tokens dim"]]:
        assert isinstance(values.data, Tensor)
        mask = values.mask
        data = values.data if mask is None else values.data.masked_fill(~mask.unsqueeze(-1), 0)
        tokens = self.dropout(self.projection(data))
        for layer in self.layers:
            tokens = layer(tokens, mask)
            yield tokens

    def example(self, batch: int) -> Values:
        """Frames of the input's longest sound."""
        return Values(torch.zeros(batch, self.longest, STACKED * BANDS))

    def layer_groups(self) -> list[list[str]]:
        """The projection, then each layer."""
        prefixes = ["projection.", *(f"layers.{index}." for index in range(len(self.layers)))]
        return [[name for name in self.state_dict() if name.startswith(prefix)] for prefix in prefixes]


def build(options: Options, context: BackboneContext) -> Backbone:
    """A Conformer with random weights.

    Raises:
        UsageError: The input does not tell the rate of its sounds.
    """
    return Conformer(options, context.value)
