"""What the backbones here have alike: the width of their values, padding, and groups of parameters."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo import UsageError
from zoo.contract import ValueSpec
from zoo.features import Values


def width_of(value: ValueSpec) -> int:
    """Columns of a vector, or features of each step.

    Raises:
        UsageError: The width is learnt from training rows, and there were none.
    """
    width = value.shape[-1]
    if width is None:
        raise UsageError("the width of its values is learnt from the training rows: name them in `data.train`")
    return width


def example_steps(value: ValueSpec, batch: int) -> Values:
    """Sequences of the greatest length; of one step where any length is allowed."""
    return Values(torch.zeros(batch, value.max_length or 1, width_of(value)))


def real_steps(values: Values) -> Float[Tensor, "batch steps features"]:
    """The steps, with zeros under padding: what stands there, NaN perhaps, reaches no output and no gradient."""
    assert isinstance(values.data, Tensor)  # sequences differ in their first dimension alone, so they are padded
    mask = values.mask
    return values.data if mask is None else values.data.masked_fill(~mask[..., None], 0)


def groups_of(module: nn.Module, *prefixes: tuple[str, ...]) -> list[list[str]]:
    """Names of all parameters and persistent buffers, grouped by how they begin."""
    return [[name for name in module.state_dict() if name.startswith(group)] for group in prefixes]
