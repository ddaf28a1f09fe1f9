"""The arithmetic of a device, for tensors on the meta device: which kernel computes attention, in which precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

LOW: frozenset[Callable[..., Any]] = frozenset(
    {
        functional.linear,
        functional.conv1d,
        functional.conv2d,
        functional.conv3d,
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.multi_head_attention_forward,
        torch.conv1d,
        torch.conv2d,
        torch.conv3d,
        torch.einsum,
        torch.matmul,
        torch.mm,
        torch.bmm,
        torch.addmm,
        torch.baddbmm,
        Tensor.matmul,
        Tensor.mm,
        Tensor.bmm,
        Tensor.addmm,
        Tensor.baddbmm,
        Tensor.__matmul__,
    }
)
"""What autocast computes in the low precision."""

FULL: frozenset[Callable[..., Any]] = frozenset(
    {
        functional.layer_norm,
        functional.group_norm,
        functional.softmax,
        functional.log_softmax,
        functional.cross_entropy,
        torch.softmax,
        torch.log_softmax,
        Tensor.softmax,
        Tensor.log_softmax,
    }
)
"""What autocast computes in float32 on a GPU."""


class Autocast(TorchFunctionMode):
    """Does to tensors on the meta device what `torch.autocast`, which has no effect there, does on a real one.

    Args:
        device: `cpu` or `cuda`; they differ in what stays in float32.
        low: The low precision.
    """

    def __init__(self, device: str, low: torch.dtype) -> None:
        super().__init__()
        self._low = low
        self._full = FULL if device == "cuda" else frozenset()
        self._weights: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in LOW:
            return func(*self._cast(args, self._low), **self._cast(kwargs, self._low))
        if func in self._full:
            return func(*self._cast(args, torch.float32), **self._cast(kwargs, torch.float32))
        return func(*args, **kwargs)

    def _cast(self, value: Any, dtype: torch.dtype) -> Any:
        if isinstance(value, (tuple, list)):
            return type(value)(self._cast(each, dtype) for each in value)
        if isinstance(value, dict):
            return {name: self._cast(each, dtype) for name, each in value.items()}
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.dtype is dtype:
            return value
        if not (value.is_leaf and value.requires_grad):
            return value.to(dtype)
        # A trained weight is cast once, and its copy kept to the end of the forward pass.
        if id(value) not in self._weights:
            self._weights[id(value)] = value.to(dtype)
        return self._weights[id(value)]

    def __exit__(self, *args: Any) -> None:
        self._weights.clear()
        super().__exit__(*args)  # type: ignore[no-untyped-call]


@contextmanager
def kernels_of(device: str) -> Iterator[None]:
    """While active, tensors on the meta device are computed as a device's kernels do.

    Attention keeps no matrix of scores where there is a kernel without one; dropout on a GPU keeps a mask of bytes.

    Args:
        device: `cpu`, whose kernel of attention has no dropout, or `cuda`.
    """
    attention, dropout = functional.scaled_dot_product_attention, functional.dropout
    functional.scaled_dot_product_attention = partial(_attention, attention, device)
    if device == "cuda":
        functional.dropout = partial(_fused_dropout, dropout)
    try:
        yield
    finally:
        functional.scaled_dot_product_attention, functional.dropout = attention, dropout


def _attention(
    plain: Callable[..., Tensor],
    device: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    learnt = attn_mask is not None and attn_mask.requires_grad
    unfused = query.ndim != 4 or query.shape[-1] != value.shape[-1] or learnt or (dropout_p and device == "cpu")
    if unfused or not query.is_meta:
        return plain(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    if attn_mask is not None and attn_mask.dtype is torch.bool:
        attn_mask = query.new_empty(attn_mask.shape)
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    output: Tensor = kernel(query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale)[0]
    return output


def _fused_dropout(
    plain: Callable[..., Tensor],
    input: Tensor,  # noqa: A002  # torch's name for it
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    if inplace or not training or not 0 < p < 1 or not input.is_meta:
        return plain(input, p, training, inplace)
    output: Tensor = torch.native_dropout(input, p, training)[0]
    return output
