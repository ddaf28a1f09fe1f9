"""Trained weights of vision networks at another size of picture, or for another number of channels."""

from jaxtyping import Float
from torch import Tensor, cat
from torch.nn.functional import interpolate


def sum_or_repeat_channels(
    weight: Float[Tensor, "out channels height width"], channels: int
) -> tuple[Float[Tensor, "out _channels height width"], str]:
    """A first convolution for another number of channels, and what was done.

    One channel gets the sum, which sees a grey picture as the colour one with three equal channels. Other numbers get
    the old ones over and over, scaled to the same sum over as many channels.

    Source: Wightman 2019 (timm).
    """
    old = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True), f"{old} channels summed to 1"
    times = -(-channels // old)
    repeated = weight.repeat(1, times, 1, 1)[:, :channels]
    return repeated * (old / channels), f"{old} channels repeated to {channels}"


def resample_positions(
    table: Tensor, old: tuple[int, int], new: tuple[int, int], *, between: bool, like: Tensor
) -> tuple[Tensor, str]:
    """Position embeddings of another grid of patches, and what was done.

    Args:
        table: `(positions, dim)` or `(1, positions, dim)`; class tokens stand before the grid, in tables between pairs
            of positions after it.
        old: Rows and columns of its grid.
        new: Those that are wanted.
        between: Whether the table is of the distances between two positions (BEiT).
        like: A tensor of the shape that is wanted.

    Raises:
        ValueError: The table is not of such a grid.
    """
    text = f"{old[0]}x{old[1]} positions resampled to {new[0]}x{new[1]}"
    if between:
        old, new = ((2 * rows - 1, 2 * columns - 1) for rows, columns in (old, new))
    rows = table.reshape(-1, table.shape[-1])
    count = old[0] * old[1]
    others = len(rows) - count
    if others < 0:
        raise ValueError(f"{len(rows)} positions are no grid of {old[0]}x{old[1]}")
    grid, rest = (rows[:count], rows[count:]) if between else (rows[others:], rows[:others])
    picture = grid.reshape(1, *old, -1).permute(0, 3, 1, 2).float()
    resized = interpolate(picture, new, mode="bicubic", align_corners=False)
    resized = resized.permute(0, 2, 3, 1).reshape(new[0] * new[1], -1).to(table.dtype)
    return cat((resized, rest) if between else (rest, resized)).reshape(like.shape), text
