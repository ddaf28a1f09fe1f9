"""A pass through a large table takes no more memory of the process's own than one through a small table."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "memory.py"


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_does_not_grow_with_rows() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "1000", "100000"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # the script refuses what grows
    passes = json.loads(done.stdout.splitlines()[-1])["passes"]
    assert passes["100000"]["alone"]["megabytes"] > 1
