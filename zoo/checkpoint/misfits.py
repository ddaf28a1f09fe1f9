"""What of some tensors a module cannot take: names, shapes, and kinds of numbers."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from zoo.errors import CorruptError

SHOWN = 10
"""Names of tensors that are told of many."""


def check_kinds(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Looks whether tensors are numbers of the kind that a module has: a whole number is no fraction.

    A file can say any type of the right width, and its numbers would be read as others.

    Args:
        own: The module's tensors.
        tensors: Those that are to take their places.

    Raises:
        CorruptError: One is of another kind, and is not the same number as one of that.
    """
    for name, each in tensors.items():
        if name in own and not _keeps(each, own[name].dtype):
            raise CorruptError(f"the weights have `{name}` as {each.dtype}; here it is {own[name].dtype}")


def misfits(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """In words, what lacks, what is too much and what has another shape; "" where all fits.

    Args:
        own: The module's tensors.
        tensors: Those that are to take their places.
    """
    return "; ".join(_misfits(own, tensors))


def _misfits(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> Iterator[str]:
    if lacking := own.keys() - tensors.keys():
        yield f"they lack {some(f'`{name}`' for name in lacking)}"
    if further := tensors.keys() - own.keys():
        yield f"there is no place for {some(f'`{name}`' for name in further)}"
    both = own.keys() & tensors.keys()
    shapes = {name: (list(tensors[name].shape), list(own[name].shape)) for name in both}
    if other := [f"`{name}` as {given} and not {mine}" for name, (given, mine) in shapes.items() if given != mine]:
        yield f"they have {some(other)}"


def some(words: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    found = sorted(words)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _keeps(tensor: Tensor, dtype: torch.dtype) -> bool:
    if (tensor.is_floating_point(), tensor.is_complex()) == (dtype.is_floating_point, dtype.is_complex):
        return True
    if dtype.is_floating_point or dtype.is_complex or tensor.is_complex():
        return False
    return torch.equal(tensor, tensor.to(dtype).to(tensor.dtype))  # a counter, halved with all the rest
