"""What a model computes and keeps in memory, counted in a run on tensors that have none."""

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

ROWS = 65537
"""Rows of a batch without memory: a prime. A tensor whose bytes it divides grows with the batch, others do not."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes, or operations, of a batch of any size: `fixed` and `per_row` for each of its rows."""

    fixed: int = 0
    per_row: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.fixed + other.fixed, self.per_row + other.per_row)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.fixed - other.fixed, self.per_row - other.per_row)

    def of(self, rows: int) -> int:
        """The amount of a batch of so many rows."""
        return self.fixed + rows * self.per_row


class Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own __init_subclass__
    """While active, follows which tensors are alive, and counts operations as torch's FlopCounterMode does.

    A storage counts from the operation that makes it until nothing holds it any more, autograd included: a forward and
    a backward pass on the meta device have the peak that they have with memory. Run on a batch whose rows are marked by
    a prime number, they tell the peak of every other batch too.

    Args:
        held: Tensors that are there before: parameters, buffers, the batch.
        marker: How many rows the batch has, `ROWS`; None takes all amounts for fixed.
    """

    def __init__(self, held: Iterable[Tensor], marker: int | None = ROWS) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = Amount()
        self._marker = marker
        self._sizes: dict[weakref.ref[Any], Amount] = {}
        self._live = Amount()
        self._levels: set[Amount] = set()
        self._results: dict[Any, Any] = {}
        for tensor in held:
            self._follow(tensor)

    @property
    def levels(self) -> frozenset[Amount]:
        """Bytes that were alive at each moment, of those moments that may be the peak of some batch."""
        highest: dict[int, int] = {}
        for level in self._levels:
            highest[level.per_row] = max(level.fixed, highest.get(level.per_row, 0))
        return frozenset(Amount(fixed, per_row) for per_row, fixed in highest.items())

    def peak(self, rows: int) -> int:
        """Most bytes that were alive at once, of a batch of so many rows."""
        return max(level.of(rows) for level in self.levels)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = self._result(func, args, kwargs)
        count = COUNTED.get(func.overloadpacket)
        if count is not None:
            self.operations += self._amount(count(*args, **kwargs, out_val=result))
        for tensor in _tensors(result):
            self._follow(tensor)
        return result

    def _result(self, func: Any, args: Any, kwargs: Any) -> Any:
        """The result; made anew from that of an earlier call with equal shapes, because layers repeat.

        Finding the shapes of a result takes torch a hundred times as long as making a tensor without memory.
        """
        key = (func, _shape(args), _shape(tuple(kwargs.items())))
        if key in self._results:
            return _of_shape(self._results[key])
        result = func(*args, **kwargs)
        given = {each.untyped_storage()._cdata for each in (*_tensors(args), *_tensors(kwargs))}
        made = list(_tensors(result))
        if made and all(each.is_meta and each.untyped_storage()._cdata not in given for each in made):
            self._results[key] = _shape(result)
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        reference = weakref.ref(storage, self._forget)
        if reference not in self._sizes:
            self._sizes[reference] = self._amount(storage.nbytes())
            self._live += self._sizes[reference]
            self._levels.add(self._live)

    def _forget(self, reference: "weakref.ref[Any]") -> None:
        self._live -= self._sizes.pop(reference)

    def _amount(self, number: int) -> Amount:
        """What was counted for the marked rows, for any number of rows."""
        if self._marker is None or number % self._marker:
            return Amount(number, 0)
        return Amount(0, number // self._marker)


def _attention_operations(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    operations: int = sdpa_flop_count(query.shape, key.shape, value.shape)  # type: ignore[no-untyped-call]
    return operations


COUNTED: dict[Any, Callable[..., int]] = {
    **flop_registry,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_operations,
}
"""The operations that torch counts, and attention as a CPU computes it, which it leaves out."""


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))


def _shape(value: Any) -> Any:
    """What the shapes of a result depend on: of a tensor shape, strides and type, of all else the value itself."""
    if isinstance(value, Tensor):
        return Tensor, tuple(value.shape), value.stride(), value.dtype, value.device.type
    if isinstance(value, (list, tuple)):
        return type(value), *map(_shape, value)
    return type(value), value


def _of_shape(shape: Any) -> Any:
    kind, *rest = shape
    if kind is Tensor:
        size, stride, dtype, device = rest
        return torch.ops.aten.empty_strided.default(size, stride, dtype=dtype, device=torch.device(device))
    if issubclass(kind, (list, tuple)):
        return kind(map(_of_shape, rest))
    return rest[0]
