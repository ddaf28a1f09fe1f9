"""The code behind the declarations."""

import torch
from torch import Tensor, nn


class SpectralBackbone(nn.Module):
    """Log power of a short-time Fourier transform in bands, and one linear layer."""

    def __init__(self, bands: int = 64, dim: int = 128) -> None:
        super().__init__()
        self.bands = bands
        self.project = nn.Linear(bands, dim)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) to (batch, frames, dim)."""
        window = torch.hann_window(4 * self.bands, device=waveform.device)
        spectrum = torch.stft(waveform, 4 * self.bands, window=window, return_complex=True)
        power = spectrum.abs().square()[:, 1:].unflatten(1, (self.bands, 2)).mean(2)
        return self.project(power.clamp_min(1e-10).log().transpose(1, 2))


class MeanFusion(nn.Module):
    """Mean of the pooled features of the inputs that are present."""

    def forward(self, pooled: Tensor, present: Tensor) -> Tensor:
        """(batch, inputs, dim) and (batch, inputs) to (batch, dim)."""
        weight = present.to(pooled.dtype).unsqueeze(-1)
        return (pooled * weight).sum(1) / weight.sum(1).clamp_min(1)


class RankingHead(nn.Module):
    """A score, and the hinge loss on every pair of rows whose labels differ."""

    def __init__(self, dim: int, margin: float = 0.2, reduction: str = "mean") -> None:
        super().__init__()
        self.margin, self.reduction = margin, reduction
        self.score = nn.Linear(dim, 1)

    def loss(self, pooled: Tensor, label: Tensor) -> Tensor:
        """(batch, dim) and (batch,) to a number."""
        score = self.score(pooled).squeeze(-1)
        better = label[:, None] > label[None, :]
        losses = (self.margin - (score[:, None] - score[None, :])).clamp_min(0)[better]
        return losses.mean() if self.reduction == "mean" and len(losses) else losses.sum()
