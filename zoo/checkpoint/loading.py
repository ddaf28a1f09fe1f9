"""Weights into a module: mapped tensors take the places of unallocated parameters, nothing is copied or made twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from zoo.checkpoint.misfits import check_kinds, misfits
from zoo.checkpoint.unallocated import Unallocated, allocate_buffers
from zoo.contract import Adapted, Backbone
from zoo.errors import CorruptError, PluginError

SHOWN = 4
"""Names of tensors that are told of many."""


@dataclass(frozen=True)
class Start:
    """How a part starts: what was kept of its weights, what was resized, what starts at random.

    Args:
        kept: Names of tensors taken as they are.
        resized: What was changed and how, by name.
        new: Names of tensors that start at random.
        unused: Names in the weights that have no place in the part.
    """

    kept: tuple[str, ...] = ()
    resized: Mapping[str, str] = field(default_factory=dict)
    new: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def told(self, source: str = "") -> Iterator[str]:
        """What a person wants to know of it, line by line.

        Args:
            source: Where the weights came from, in words.
        """
        if not self.kept and not self.resized:
            yield f"{len(self.new)} tensors start at random"
            return
        yield f"{len(self.kept)} tensors kept" + (f" from {source}" if source else "")
        yield from (f"resized: {name}: {change}" for name, change in self.resized.items())
        for word, names in (("new", self.new), ("unused", self.unused)):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                yield f"{word}: {', '.join(names[:SHOWN])}{more}"


def started(make: Callable[[], Backbone], state: Callable[[Backbone], Mapping[str, Tensor]]) -> tuple[Backbone, Start]:
    """A backbone with its weights, and what became of them.

    Args:
        make: Builds the backbone.
        state: Gives the weights, once the backbone says what their file is called.

    Raises:
        CorruptError: The weights are of another architecture.
    """
    with Unallocated():
        backbone = make()
    adapted = fit_state(backbone, state(backbone))
    start = describe(backbone, adapted)
    _check_statistics(backbone, start.new)
    tensors = dict(adapted.tensors)
    if start.new:
        tensors |= _fresh(make, start.new)
    assign(backbone, tensors)
    return backbone, start


def _check_statistics(backbone: Backbone, new: Sequence[str]) -> None:
    """A norm whose weights are there and whose statistics are not would compute something else than it was made for."""
    for name, module in backbone.named_modules():
        own = [f"{name}.{each}".lstrip(".") for each, _ in module.named_parameters(recurse=False)]
        for each in ("running_mean", "running_var"):
            lacked = f"{name}.{each}".lstrip(".") in new
            if isinstance(module, _NormBase) and own and lacked and not set(own) & set(new):
                raise CorruptError(f"the weights have `{own[0]}` and lack `{name}.{each}`, which belongs to it")


def _fresh(make: Callable[[], Backbone], names: Sequence[str]) -> dict[str, Tensor]:
    """What weights lack, as it starts in a backbone without any; the rest of that backbone is gone on return."""
    state = make().state_dict()
    return {name: state[name].clone() for name in names}


def fit_state(backbone: Backbone, state: Mapping[str, Tensor]) -> Adapted:
    """The weights as the backbone takes them, checked for shapes.

    Raises:
        CorruptError: They are of another architecture.
    """
    try:
        adapted = backbone.adapt(state)
    except ValueError as error:
        raise CorruptError(f"these weights do not fit {type(backbone).__name__}: {error}") from None
    own = backbone.state_dict()
    for name, tensor in adapted.tensors.items():
        if name not in own or tensor.shape != own[name].shape:
            wanted = list(own[name].shape) if name in own else "no such tensor"
            raise CorruptError(f"the weights have `{name}` as {list(tensor.shape)}; the backbone has {wanted}")
    for names in tied(backbone):
        given = next((adapted.tensors[name] for name in names if name in adapted.tensors), None)
        if given is not None:
            adapted = replace(adapted, tensors={**adapted.tensors, **dict.fromkeys(names, given)})
    if not adapted.tensors:
        some = ", ".join(list(state)[:3])
        raise CorruptError(f"none of the {len(state)} tensors in the weights ({some}, ...) belongs to this backbone")
    return adapted


def tied(module: nn.Module) -> list[list[str]]:
    """Names of parameters that are one and the same, such as an embedding and the output that shares its weights."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [same for same in names.values() if len(same) > 1]


def describe(backbone: nn.Module, adapted: Adapted) -> Start:
    """What is kept, resized, new and unused."""
    names = list(backbone.state_dict())
    return Start(
        kept=tuple(name for name in names if name in adapted.tensors and name not in adapted.resized),
        resized=dict(adapted.resized),
        new=tuple(name for name in names if name not in adapted.tensors),
        unused=tuple(adapted.unused),
    )


def assign(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Puts tensors in the places of a module's parameters and buffers, without a copy where types agree.

    Args:
        module: Made under `Unallocated`.
        tensors: All that its `state_dict` names.

    Raises:
        CorruptError: Some are missing, too many, of another shape, or numbers of another kind.
    """
    own, same = module.state_dict(keep_vars=True), tied(module)
    check_kinds(own, tensors)
    fitting = {name: each.to(own[name].dtype) if name in own else each for name, each in tensors.items()}
    try:
        module.load_state_dict(fitting, strict=True, assign=True)
    except RuntimeError as error:
        told = misfits(own, tensors) or str(error).splitlines()[-1].strip()
        raise CorruptError(f"the weights do not fit {type(module).__name__}: {told}") from None
    for first, *others in same:
        for name in others:
            path, _, last = name.rpartition(".")
            setattr(module.get_submodule(path), last, module.get_parameter(first))
    if waiting := allocate_buffers(module):
        for each in module.modules():
            if isinstance(each, Backbone):
                each.restore_buffers()
        _check_restored(module, waiting)


def _check_restored(module: nn.Module, names: list[str]) -> None:
    left = [name for name, each in (*module.named_parameters(), *module.named_buffers()) if each.is_meta]
    unset = [name for name in names if torch.isnan(module.get_buffer(name).float()).any()]
    if left or unset:
        raise PluginError(f"`{type(module).__name__}` left {', '.join([*left, *unset][:5])} without values")
