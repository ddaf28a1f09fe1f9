"""A backbone for sounds: how loud each band of frequencies is, window by window, and one linear layer."""

import torch
from torch import Tensor, nn

from zoo import Backbone, BackboneContext, Features, FeatureSpec, Values
from zoo.features import masked_mean
from zoo_acme import Spectral


class SpectralBackbone(Backbone):
    """A token for each window of the sound; pooled is the mean of the real tokens."""

    def __init__(self, options: Spectral, context: BackboneContext) -> None:
        super().__init__()
        self.bands = options.bands
        self.longest = context.value.max_length or 16000
        self.norm = nn.LayerNorm(options.bands)
        self.project = nn.Linear(options.bands, options.dim)
        self.features = FeatureSpec(dim=options.dim, pooled_dim=options.dim)
        self.prepare = torch.as_tensor

    def forward(self, values: Values) -> Features:
        """Sounds `(batch, samples)` to tokens `(batch, windows, dim)`, real ones where a sound's own windows are."""
        assert isinstance(values.data, Tensor)  # sounds differ in length alone, so they are padded
        samples = values.data if values.mask is None else values.data.masked_fill(~values.mask, 0)
        tokens = self.project(self.norm(self.spectrum(samples)))
        mask = None
        if values.lengths is not None:
            windows = values.lengths // (2 * self.bands) + 1
            mask = torch.arange(tokens.shape[1], device=tokens.device) < windows[:, None]
        return Features(tokens, masked_mean(tokens, mask), mask)

    def spectrum(self, samples: Tensor) -> Tensor:
        """Log power `(batch, windows, bands)` in windows of `4 * bands` samples that overlap by half."""
        size = 4 * self.bands
        window = torch.hann_window(size, device=samples.device)
        # Zeros around a sound, so that the last windows of a short one are the same alone and padded.
        waves = torch.stft(samples, size, size // 2, window=window, pad_mode="constant", return_complex=True)
        power = waves.abs().square()[:, 1:].unflatten(1, (self.bands, 2)).mean(2)
        return power.clamp(min=1e-10).log().transpose(1, 2)

    def example(self, batch: int) -> Values:
        """Silence of the greatest length."""
        return Values(torch.zeros(batch, self.longest))

    def layer_groups(self) -> list[list[str]]:
        """One layer, and the norm before it."""
        return [["norm.weight", "norm.bias", "project.weight", "project.bias"]]
