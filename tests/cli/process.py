"""zoo in a process of its own, for what the shell sees."""

import os
import subprocess
import sys
from collections.abc import Mapping


def zoo(*words: object, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `python -m zoo`, with these environment variables besides the tests' own."""
    settings = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    settings |= variables or {}
    command = [sys.executable, "-m", "zoo", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=settings, timeout=60)
