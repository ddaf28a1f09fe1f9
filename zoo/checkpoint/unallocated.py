"""Modules without memory for their parameters: pretrained weights are mapped in, and nothing is computed twice."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo.errors import CorruptError

FILLING = frozenset(
    {
        *(Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_, Tensor.erfinv_, Tensor.zero_, Tensor.fill_),
        *(Tensor.add_, Tensor.sub_, Tensor.mul_, Tensor.div_, Tensor.clamp_),
    }
)
"""What libraries fill parameters with beside `torch.nn.init`; each gives back the tensor that it is called on."""


MAKING = frozenset(
    {
        *(torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.arange, torch.linspace),
        *(torch.logspace, torch.eye, torch.tril_indices, torch.triu_indices),
    }
)
"""What makes tensors out of nothing, for real; the meta device tells first how large they would be."""

SPARE = 5000
"""Tensors that a model may make beside four for each of its weights: some build more layers than they keep."""

SPARE_BYTES = 64 << 20
"""Bytes that a tensor may take which is made for real, beside four for each byte of the weights."""


class Uninitialized(TorchFunctionMode):
    """While active, values that meta tensors would be filled with are not computed.

    They would change nothing, but torch takes long to find that out, and looks some distributions up in modules that
    take a second to import.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            tensor = kwargs["tensor"] if "tensor" in kwargs else args[0]
            if tensor.is_meta:
                return tensor
        elif func in FILLING and args[0].is_meta:
            return args[0]
        return func(*args, **kwargs)


class Unallocated(Uninitialized):
    """While active, `torch.empty` gives meta tensors, so that layers are made without memory and random numbers.

    Layers allocate their parameters with `torch.empty` and fill them afterwards, which costs nothing on a meta device.
    What is computed by other means (position tables, constants, small parameters made of zeros) is made for real, so
    buffers that no checkpoint holds come out right. `torch.device("meta")` would leave those without values.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        return super().__torch_function__(func, types, args, kwargs)


class Bounded(Unallocated):
    """Like `Unallocated`, for parts of which a stranger's spec tells how large they are: their weights bound them.

    Args:
        tensors: How many weights there are.
        size: Bytes of all of them.

    Raises:
        CorruptError: What is made could not be that of the weights: there are too many tensors, or one is too large.
    """

    def __init__(self, tensors: int, size: int) -> None:
        super().__init__()
        self._tensors, self._left = tensors, 4 * tensors + SPARE
        self._most = 4 * size + SPARE_BYTES

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty:
            self._left -= 1
            if self._left < 0:
                raise CorruptError(f"the spec asks for many more tensors than the {self._tensors:,} of the weights")
        if func in MAKING:
            told = {key: value for key, value in kwargs.items() if key not in ("generator", "out", "pin_memory")}
            self._check(func(*args, **{**told, "device": "meta"}))
        made = super().__torch_function__(func, types, args, kwargs)
        if isinstance(made, Tensor) and not made.is_meta:
            self._check(made)
        return made

    def _check(self, made: Tensor) -> None:
        size = made.numel() * made.itemsize
        if size > self._most:
            raise CorruptError(f"the spec asks for a tensor that would take {size:,} bytes, far more than the weights")


def allocate_buffers(module: nn.Module) -> list[str]:
    """Gives memory, not values, to buffers that are still on the meta device and stand in no checkpoint.

    Returns:
        Their names: somebody must now compute them.
    """
    persistent = set(module.state_dict())
    waiting = [name for name, each in module.named_buffers() if each.is_meta and name not in persistent]
    for name in waiting:
        path, _, last = name.rpartition(".")
        empty = torch.empty_like(module.get_buffer(name), device="cpu")
        # NaN, so that one that nobody computes is noticed.
        module.get_submodule(path)._buffers[last] = empty.fill_(torch.nan) if empty.is_floating_point() else empty
    return waiting
