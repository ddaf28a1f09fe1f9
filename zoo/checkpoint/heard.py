"""Hears what huggingface_hub downloads, in the place of its own bars."""

from collections.abc import Callable
from typing import Any

Heard = Callable[[int], None]
"""Hears that so many bytes more have come; a number below 0 takes back what has to come again."""


def hearing(heard: Heard) -> Any:
    """A class of bars, for `tqdm_class`, that show nothing and tell what they would show."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # it has no types
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            heard(int(n or 0))

        def update_transfer(self, n: float) -> None:
            """Nothing: xet tells what comes over the network beside what it makes of that."""

        def set_transfer_postfix_str(self, *words: Any, **options: Any) -> None:
            """Nothing."""

    return Bar
