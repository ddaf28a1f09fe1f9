"""One layer of a Conformer, correct under padding."""

from jaxtyping import Bool, Float
from torch import Tensor, nn


class ConformerLayer(nn.Module):
    """Half a feed-forward, attention, convolution, half a feed-forward (Gulati et al. 2020, section 2.4).

    As `torchaudio.models.conformer.ConformerLayer`, whose depthwise convolution reads what stands under padding and
    whose norm counts it, with two differences: padding is zero before the convolution, and the norm behind it is a
    LayerNorm over the channels of each frame instead of a BatchNorm over all frames. Positions come from the
    convolutions alone, as there.

    Args:
        dim: Width of the tokens.
        heads: Attention heads.
        kernel_size: Width of the depthwise convolution, in tokens; odd.
        dropout: Dropout behind every part and on the attention weights.
    """

    def __init__(self, dim: int, heads: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.feed_forward_before = feed_forward(dim, dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, dropout=dropout, batch_first=True)
        self.attention_dropout = nn.Dropout(dropout)
        self.convolution = Convolution(dim, kernel_size, dropout)
        self.feed_forward_after = feed_forward(dim, dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None
    ) -> Float[Tensor, "batch tokens dim"]:
        """The tokens, changed. `mask` is True at real ones."""
        tokens = tokens + self.feed_forward_before(tokens) / 2
        normed = self.attention_norm(tokens)
        padding = None if mask is None else ~mask
        attended, _ = self.attention(normed, normed, normed, key_padding_mask=padding, need_weights=False)
        tokens = tokens + self.attention_dropout(attended)
        tokens = tokens + self.convolution(tokens, mask)
        tokens = tokens + self.feed_forward_after(tokens) / 2
        normalized: Tensor = self.norm(tokens)
        return normalized


class Convolution(nn.Module):
    """Gated pointwise, depthwise and pointwise convolution over time (Gulati et al. 2020, figure 2)."""

    def __init__(self, dim: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, 2 * dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)
        self.depthwise_norm = nn.LayerNorm(dim)
        self.project = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], mask: Bool[Tensor, "batch tokens"] | None
    ) -> Float[Tensor, "batch tokens dim"]:
        """What is to be added to the tokens."""
        gated = nn.functional.glu(self.expand(self.norm(tokens)), dim=-1)
        if mask is not None:
            gated = gated.masked_fill(~mask.unsqueeze(-1), 0)
        mixed = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        projected: Tensor = self.dropout(self.project(nn.functional.silu(self.depthwise_norm(mixed))))
        return projected


def feed_forward(dim: int, dropout: float) -> nn.Sequential:
    """Two linear layers, the inner one four times as wide, behind a norm."""
    return nn.Sequential(
        nn.LayerNorm(dim),
        nn.Linear(dim, 4 * dim),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(4 * dim, dim),
        nn.Dropout(dropout),
    )
