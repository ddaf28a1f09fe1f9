"""What worker processes take along: it must survive pickling, and hold no weights."""

import io
import pickle
from collections.abc import Iterator
from typing import Any, TypeVar

from torch import nn

T = TypeVar("T")


def taken_along(value: T) -> T:
    """The value as a worker process has it."""
    copy: T = pickle.loads(pickle.dumps(value))
    return copy


def parts_with_weights(value: Any) -> Iterator[str]:
    """Names of the classes of modules and parameters that pickling would take along."""
    found: list[str] = []

    class Watching(pickle.Pickler):
        def persistent_id(self, each: Any) -> str | None:
            if isinstance(each, (nn.Module, nn.Parameter)):
                found.append(type(each).__name__)
                return "weights"
            return None

    Watching(io.BytesIO()).dump(value)
    yield from dict.fromkeys(found)
