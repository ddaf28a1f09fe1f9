"""What differs between two outputs, in words."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.features import Features

CLOSE = 1e-5
"""Largest difference that counts as rounding, relative to the largest number."""


def differences(first: Any, second: Any, tolerance: float = 0.0) -> Iterator[str]:
    """What is not the same in two trees of tensors.

    Args:
        first: A tree.
        second: Another.
        tolerance: Largest difference allowed, relative to the largest number in a tensor; 0 is none, not by a bit.
    """
    expected, got = dict(leaves(first)), dict(leaves(second))
    if expected.keys() != got.keys():
        yield f"outputs {', '.join(sorted(expected.keys() ^ got.keys()))} are there once and once not"
        return
    for name, tensor in expected.items():
        yield from _difference(name, tensor, got[name], tolerance)


def leaves(tree: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a tree, each with its place in it."""
    for path, leaf in pytree.tree_flatten_with_path(tree)[0]:
        if isinstance(leaf, Tensor):
            yield pytree.keystr(path).strip(".") or "output", leaf


def rows_of(tree: Any, row: int) -> Any:
    """One row of a tree whose tensors have rows first; of features, without what the mask hides."""
    if isinstance(tree, Features):
        tokens = tree.tokens[row] if tree.mask is None else tree.tokens[row][tree.mask[row]]
        return {"tokens": tokens, "pooled": tree.pooled[row], "maps": [level[row] for level in tree.maps]}
    return pytree.tree_map(lambda leaf: leaf[row] if isinstance(leaf, Tensor) else leaf, tree)


def _difference(name: str, first: Tensor, second: Tensor, tolerance: float) -> Iterator[str]:
    if first.shape != second.shape or first.dtype != second.dtype:
        shapes = f"{list(first.shape)} of {first.dtype} and {list(second.shape)} of {second.dtype}"
        yield f"`{name}` is {shapes}"
    elif tolerance == 0:
        if not _same(first, second):
            yield f"`{name}` differs{_by(first, second)}"
    elif first.numel() and not bool(_distance(first, second) <= tolerance * first.double().abs().max().clamp(min=1)):
        yield f"`{name}` differs{_by(first, second)}"


def _same(first: Tensor, second: Tensor) -> bool:
    """Whether all numbers are the same; what is missing in both, NaN, is."""
    missing = (first != first) & (second != second)
    return bool(((first == second) | missing).all())


def _by(first: Tensor, second: Tensor) -> str:
    return f" by {float(_distance(first, second)):.1e}" if first.is_floating_point() else ""


def _distance(first: Tensor, second: Tensor) -> Tensor:
    return (first.double() - second.double()).abs().max()
