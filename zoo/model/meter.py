"""Counts what a model would compute and keep in memory, from a run on tensors without memory."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop

BATCH = 65537
"""Rows of the batch that is run: a prime, so that what it divides grows with the batch, and nothing else does."""

FLOPS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda query, key, value, *_, **__: sdpa_flop(
        query.shape, key.shape, value.shape
    ),
}
"""What torch counts, and attention as a CPU computes it, which torch leaves out."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes or operations of a batch of any size: `fixed + rows * per_row`."""

    fixed: int = 0
    per_row: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.fixed + other.fixed, self.per_row + other.per_row)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.fixed - other.fixed, self.per_row - other.per_row)

    def of(self, rows: int) -> int:
        """The amount of a batch."""
        return self.fixed + rows * self.per_row


def _amount(number: int) -> Amount:
    """What was counted for `BATCH` rows, for any number of rows."""
    return Amount(0, number // BATCH) if number % BATCH == 0 else Amount(number, 0)


class Meter(TorchDispatchMode):
    """While active, follows which tensors are alive, and counts operations as torch's FlopCounterMode does.

    Every storage counts from the operation that makes it to the moment when nothing holds it any more, autograd
    included, so a forward and a backward pass have the peak that they would have with memory. Run it on a batch of
    `BATCH` rows: the peak of any other batch follows.

    Args:
        held: Tensors that are there before: parameters, buffers, the batch.
    """

    def __init__(self, held: Iterable[Tensor]) -> None:
        super().__init__()
        self.flops = Amount()
        self._live = Amount()
        self._levels: set[Amount] = set()
        self._sizes: dict[Any, Amount] = {}
        self._known: dict[Any, Any] = {}
        for tensor in held:
            self._follow(tensor)

    def peak(self, rows: int) -> int:
        """Most bytes that were alive at once, for a batch of so many rows."""
        return max((level.of(rows) for level in self._levels), default=0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = self._result(func, args, kwargs)
        formula = FLOPS.get(func._overloadpacket)
        if formula is not None:
            self.flops += _amount(formula(*args, **kwargs, out_val=result))
        for tensor in _tensors(result):
            self._follow(tensor)
        return result

    def _result(self, func: Any, args: Any, kwargs: Any) -> Any:
        """The result, made from that of an earlier call with the same shapes where there was one.

        Layers repeat, and shapes of results are slow to find.
        """
        key = (func, *map(_shape, args), *((name, _shape(value)) for name, value in kwargs.items()))
        known = self._known.get(key)
        if known is not None:
            return _remade(known)
        result = func(*args, **kwargs)
        given = {each.untyped_storage()._cdata for each in _tensors((args, kwargs))}
        made = list(_tensors(result))
        fresh = {each.untyped_storage()._cdata for each in made}
        if made and all(type(each) is Tensor and each.is_meta for each in made) and not given & fresh:
            self._known[key] = _shape(result)
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        reference = weakref.ref(storage, self._forget)
        if reference not in self._sizes:
            self._sizes[reference] = _amount(storage.nbytes())
            self._live += self._sizes[reference]
            self._levels.add(self._live)

    def _forget(self, reference: Any) -> None:
        self._live -= self._sizes.pop(reference)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))


def _shape(value: Any) -> Any:
    """What a result's shape depends on: of a tensor its shape, strides and type, of anything else the value."""
    if isinstance(value, Tensor):
        return (Tensor, tuple(value.shape), value.stride(), value.dtype)
    if isinstance(value, (list, tuple)):
        return (type(value), *map(_shape, value))
    return (type(value), value)


def _remade(shape: Any) -> Any:
    kind, *rest = shape
    if kind is Tensor:
        size, stride, dtype = rest
        return torch.ops.aten.empty_strided.default(size, stride, dtype=dtype, device=torch.device("meta"))
    if issubclass(kind, (list, tuple)):
        return kind(map(_remade, rest))
    return rest[0]
