"""Modules without memory for their parameters: pretrained weights are mapped in, and nothing is computed twice."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

FILLING = frozenset(
    {
        *(Tensor.uniform_, Tensor.normal_, Tensor.bernoulli_, Tensor.erfinv_, Tensor.zero_, Tensor.fill_),
        *(Tensor.add_, Tensor.sub_, Tensor.mul_, Tensor.div_, Tensor.clamp_),
    }
)
"""What libraries fill parameters with beside `torch.nn.init`; each gives back the tensor that it is called on."""


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
