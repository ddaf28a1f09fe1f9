"""The proof of a run without a process of its own, which takes seconds: it calls the same."""

import pytest

from zoo.hub import prove


def prove_here(patch: pytest.MonkeyPatch) -> None:
    """Reads runs in this process from here on."""
    patch.setattr(prove.Reader, "start", lambda self: None)
    patch.setattr(prove.Reader, "ask", staticmethod(prove.answer))
