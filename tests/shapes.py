"""The type checker of the tests: beartype, where an annotation has a shape, so that no test costs more than it must."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from beartype import beartype
from jaxtyping import AbstractArray

Checked = Callable[..., Any]


def checked(function: Checked) -> Checked:
    """The function, checking those of its annotations that name shapes; unchanged where none does.

    Args:
        function: A stand-in of jaxtyping's own making, which takes and gives what the real one does.
    """
    shaped = {name: hint for name, hint in function.__annotations__.items() if _has_shape(hint)}
    function.__annotations__ = shaped
    return beartype(function) if shaped else function


def _has_shape(hint: object) -> bool:
    return any(isinstance(each, type) and issubclass(each, AbstractArray) for each in _parts(hint))


def _parts(hint: object) -> Iterator[object]:
    yield hint
    for each in get_args(hint):
        yield from _parts(each)
