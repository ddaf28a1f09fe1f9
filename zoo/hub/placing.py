"""Files that were fetched come into a new run; what cannot be read is told apart from what cannot be written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.errors import NetworkError
from zoo.files import writing
from zoo.hub.names import WEIGHTS

PIECE = 1 << 20
"""Bytes that are copied at once."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Tells what of a store, or of a cache, cannot be read, and why.

    Args:
        what: What is read, unless the system says which file it is.

    Raises:
        NetworkError: The system says that it cannot.
    """
    try:
        yield
    except OSError as error:
        place = f"`{error.filename}`" if error.filename else what
        raise NetworkError(f"{place} cannot be read: {error.strerror or error}") from None


def place(path: Path, target: Path, own: bool) -> None:
    """Puts a fetched file into a run: a second name of weights in an own cache, where there are such; else a copy.

    Args:
        path: The file.
        target: Where it is to stand.
        own: Whether it is one of a cache that nobody else has.

    Raises:
        UsageError: It cannot be written.
        NetworkError: It cannot be read.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    if own and WEIGHTS.fullmatch(target.name):
        try:
            os.link(path.resolve(), target)
            return
        except OSError:
            pass
    with writing(target), target.open("wb") as file:
        for piece in _pieces(path):
            file.write(piece)


def _pieces(path: Path) -> Iterator[bytes]:
    with reading(f"`{path}`"), path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
