"""Weights of timm's checkpoints, fitted to another number of channels and another size of picture."""

import inspect
import re
import warnings
from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from zoo import Adapted
from zoo_timm.network import Filter

# What torch warns of in timm's interpolation of relative tables. Nobody who loads weights can do anything about it.
TORCH_SAYS = r"torch\.searchsorted|Using a non-tuple sequence for multidimensional indexing"
# Names of tables with an entry for each place of the picture, or for each distance between two places.
POSITIONS = re.compile(r"pos|attention_bias")
# Of these, tables with an entry for each distance along one side.
ALONG_A_SIDE = re.compile(r"rel_pos_[hw]$")


def fit(network: Any, uncut: Any, filtered_by: Filter | None, channels: int, state: Mapping[str, Tensor]) -> Adapted:
    """Fits a checkpoint to a network.

    timm's own filter of the architecture comes first: it renames, and resamples most tables of positions. What it
    leaves in another shape is the first convolution, for another number of channels, and tables it does not know.

    Args:
        network: The network.
        uncut: The same with all its stages, which timm's filter looks at.
        filtered_by: timm's filter of its checkpoints.
        channels: Channels of the pictures that the network takes.
        state: The checkpoint; meta tensors will do.

    Raises:
        ValueError: It is of another architecture, or of a size of picture that it cannot be brought from.
    """
    own, whole = network.state_dict(), uncut.state_dict()
    found = _filtered(uncut, filtered_by, state)
    first = _first_convolutions(network)
    tensors: dict[str, Tensor] = {}
    resized: dict[str, str] = {}
    for name in [name for name in own if name in found]:
        tensor, shape = found[name], own[name].shape
        if tensor.shape == shape:
            if name in state and state[name].numel() != tensor.numel():
                resized[name] = _words(state[name].shape, shape)
        elif tensor.shape == whole[name].shape or (name in first and tensor.ndim == 2):
            # EfficientViM weighs its heads, which were cut with the stages; and a linear patch embedding has an order
            # of channels that timm does not tell. They start anew.
            continue
        elif name in first:
            tensor, resized[name] = sum_or_repeat_channels(tensor, channels, shape[1] // channels)
        elif POSITIONS.search(name):
            resized[name] = _words(tensor.shape, shape)
            tensor = _positions(network, name, tensor, shape)
        tensors[name] = tensor
    _check(tensors, own)
    return Adapted(tensors, resized, [name for name in found if name not in own])


def _positions(network: Any, name: str, table: Tensor, shape: Sequence[int]) -> Tensor:
    if ALONG_A_SIDE.search(name):
        return _line(table, shape[0])
    return resample(table, shape, getattr(network, "num_prefix_tokens", None) or 0)


def sum_or_repeat_channels(weight: Tensor, channels: int, pixels: int = 1) -> tuple[Tensor, str]:
    """A first convolution for another number of channels, and what was done, as timm does it (Wightman 2019).

    One channel gets the sum over the old ones, which sees a grey picture as they see it in three equal channels. More
    get the old filters over and over, scaled so that their sum stays.

    Args:
        weight: `(out, pixels * old, height, width)`.
        channels: How many channels are wanted.
        pixels: How many neighbouring pixels the network puts into channels before it (space to depth).

    Raises:
        ValueError: The weight has no such pixels.
    """
    old, left = divmod(weight.shape[1], pixels)
    if left or not old:
        raise ValueError(f"a first convolution over {weight.shape[1]} channels is not one over {pixels} pixels")
    filters = weight.float().reshape(len(weight), pixels, old, *weight.shape[2:])
    if channels == 1:
        return filters.sum(2).to(weight.dtype), f"{old} input channels summed to 1"
    times = -(-channels // old)
    repeated = torch.cat([filters] * times, dim=2)[:, :, :channels] * (old / channels)
    done = "repeated" if channels > old else "cut"
    return repeated.flatten(1, 2).to(weight.dtype), f"{old} input channels {done} to {channels}"


def resample(table: Tensor, shape: Sequence[int], prefix: int = 0) -> Tensor:
    """A table of positions on another grid, bicubic.

    Args:
        table: Two neighbouring axes are rows and columns, or one is both, of a square grid.
        shape: The shape that is wanted.
        prefix: How many entries of no place may stand before a grid along one axis.

    Returns:
        The table in that shape; as it was where it is no such table.
    """
    if table.ndim != len(shape):
        return table
    changed = [axis for axis, (old, new) in enumerate(zip(table.shape, shape, strict=True)) if old != new]
    if len(changed) == 2 and changed[1] == changed[0] + 1:
        rows, columns = changed
        grid = table.movedim((rows, columns), (-2, -1))
        return _interpolated(grid, (shape[rows], shape[columns])).movedim((-2, -1), (rows, columns))
    if len(changed) != 1:
        return table
    (axis,) = changed
    along = table.movedim(axis, -1)
    for before in (0, prefix):
        side, wanted = isqrt(table.shape[axis] - before), isqrt(shape[axis] - before)
        if (side**2, wanted**2) == (table.shape[axis] - before, shape[axis] - before):
            grid = along[..., before:].reshape(*along.shape[:-1], side, side)
            places = _interpolated(grid, (wanted, wanted)).flatten(-2)
            return torch.cat([along[..., :before], places], dim=-1).movedim(-1, axis)
    return table


def _line(table: Float[Tensor, "old dim"], entries: int) -> Float[Tensor, "entries dim"]:
    """A table of distances along one side, interpolated linearly to another length."""
    resized = interpolate(table.float().T.unsqueeze(0), entries, mode="linear")
    return resized.squeeze(0).T.to(table.dtype)


def _interpolated(grid: Tensor, size: tuple[int, int]) -> Tensor:
    """The last two axes brought to another size."""
    flat = grid.float().reshape(1, -1, *grid.shape[-2:])
    resized = interpolate(flat, size, mode="bicubic", antialias=True)
    return resized.reshape(*grid.shape[:-2], *size).to(grid.dtype)


def _filtered(network: Any, filtered_by: Filter | None, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if filtered_by is None:
        return state
    taken = len(inspect.signature(filtered_by).parameters)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", TORCH_SAYS, UserWarning)
            return filtered_by(*(dict(state), network)[:taken])
    except Exception as error:  # each architecture has a filter of its own, which takes for granted what it looks for
        raise ValueError(f"timm cannot read them as weights of this architecture: {error!r}") from error


def _first_convolutions(network: Any) -> set[str]:
    """Names of the weights that read the channels of a picture."""
    said = network.pretrained_cfg.get("first_conv") or ()
    return {f"{name}.weight" for name in ([said] if isinstance(said, str) else said)}


def _check(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    wrong = [name for name, tensor in tensors.items() if tensor.shape != own[name].shape]
    if wrong:
        name = min(wrong, key=list(own).index)
        there, here = list(tensors[name].shape), list(own[name].shape)
        others = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise ValueError(f"they have `{name}` as {there}, the network has {here}{others}")


def _words(old: Sequence[int], new: Sequence[int]) -> str:
    return f"{' x '.join(map(str, old))} resampled to {' x '.join(map(str, new))}"
