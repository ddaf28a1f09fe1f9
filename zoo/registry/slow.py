"""Tells whose code is at work when a plugin takes long, so that whoever waits knows what to leave out."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 5.0
"""Seconds before something is said."""


@contextmanager
def named_when_slow(text: str) -> Iterator[None]:
    """Says, once, what is at work, if the block takes long.

    Args:
        text: What to say, on stderr.
    """
    timer = threading.Timer(PATIENCE, print, (text,), {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
