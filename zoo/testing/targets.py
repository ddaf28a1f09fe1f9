"""What holds for the targets that a head makes up, with which a plan follows its loss."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from zoo.testing.head_trial import HeadTrial
from zoo.testing.heads import no_loss


def example_is_like_collated_labels(trial: HeadTrial) -> Iterator[str]:
    """An example of targets is like collated labels, has a finite loss, and takes no memory on the meta device.

    Sides that are the same whatever the label are those of the example; the others are at least as large.
    """
    head, rows = trial.build(), len(trial.batch) + 1
    given = head.example(rows)
    if given is None:
        return
    found = [f"the example: {each}" for each in _misfits(given, [head.collate([each] * rows) for each in trial.labels])]
    with torch.device("meta"):
        planned = trial.build().example(rows)
    found += [f"on the meta device, {each}" for each in _misfits(planned, [given])]
    found += [f"{name} takes memory on the meta device" for name in _allocated(planned)]
    yield from found or (f"of the example, {each}" for each in no_loss(trial, head.example(rows - 1)))


LAWS = (example_is_like_collated_labels,)


def _misfits(made: Any, collated: Sequence[Any]) -> Iterator[str]:
    """How targets are not built like those that labels become, one label in all rows each."""
    own, others = _leaves(made), [_leaves(each) for each in collated]
    if any(other.keys() != others[0].keys() for other in others):
        return  # what labels become depends on them
    for name in sorted(own.keys() ^ others[0].keys()):
        yield f"{name} is {'not among collated labels' if name in own else 'missing'}"
    for name in sorted(own.keys() & others[0].keys()):
        yield from _misfit(name, own[name], [other[name] for other in others])


def _misfit(name: str, made: Any, collated: Sequence[Any]) -> Iterator[str]:
    alike = [each for each in collated if _kind(each) == _kind(made)]
    if not alike:
        yield f"{name} is {_kind(made)}; of labels it is {_kind(collated[0])}"
    elif isinstance(made, Tensor) and not _large_enough(made.shape, [each.shape for each in alike]):
        shapes = " or ".join(dict.fromkeys(str(list(each.shape)) for each in alike))
        yield f"{name} is {list(made.shape)}; of labels it is {shapes} (give samples that differ in what may vary)"


def _large_enough(shape: Sequence[int], others: Sequence[Sequence[int]]) -> bool:
    """Whether each side is as in all of the others, where they agree, else as in the largest at least."""
    sides = zip(shape, zip(*others, strict=True), strict=True)
    return all(own == each[0] if len(set(each)) == 1 else own >= max(each) for own, each in sides)


def _kind(leaf: Any) -> str:
    return f"{leaf.dtype} in {leaf.ndim} dimensions" if isinstance(leaf, Tensor) else f"a {type(leaf).__name__}"


def _allocated(tree: Any) -> list[str]:
    return [name for name, leaf in _leaves(tree).items() if isinstance(leaf, Tensor) and not leaf.is_meta]


def _leaves(tree: Any) -> dict[str, Any]:
    """All that is in a tree, by its place there."""
    return {
        f"`{pytree.keystr(path).strip('.') or 'it'}`": leaf for path, leaf in pytree.tree_flatten_with_path(tree)[0]
    }
