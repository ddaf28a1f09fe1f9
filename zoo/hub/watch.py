"""How far a push or a pull is, for whoever waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from zoo.checkpoint.heard import Heard


class Watch(Protocol):
    """Hears how far something is; `more` may be called by several threads."""

    def step(self, text: str, size: int = 0) -> None:
        """A step begins.

        Args:
            text: What is done in it.
            size: How many bytes it takes, where they are counted.
        """

    def more(self, size: int) -> None:
        """So many bytes more of this step are done; a number below 0 takes back what is to be done again."""

    def aside(self, text: str) -> None:
        """A step begins that tells by itself how far it is, as huggingface_hub does where it sends files."""


class Unwatched:
    """Nobody waits."""

    def step(self, text: str, size: int = 0) -> None:
        """Nothing."""

    def more(self, size: int) -> None:
        """Nothing."""

    def aside(self, text: str) -> None:
        """Nothing."""


@contextmanager
def counted(heard: Heard | None, size: int) -> Iterator[Heard | None]:
    """What hears of one file: in the end, that all of it is there, however often it was fetched, or not at all.

    Args:
        heard: Hears of all files; None where nobody does.
        size: Bytes of the file.
    """
    if heard is None:
        yield None
        return
    told = 0

    def more(size: int) -> None:
        nonlocal told
        told += size
        heard(size)

    yield more
    heard(size - told)
