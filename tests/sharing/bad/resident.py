"""Somebody at a Hub whose process stays: what zoo says to one command after the other, without imports for each.

The process is `python -m tests.sharing.bad.resident`: it reads the words of a command as JSON, a line each, and tells
the exit code and what was said on both streams.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command import Result, run
from tests.sharing.bad.runs import check_told, content
from tests.sharing.people import Hub, Person
from tests.sharing.proof import prove_here
from zoo.checkpoint import network

ROOT = Path(__file__).resolve().parents[3]


class Resident(Person):
    """Somebody whose process stays.

    Args:
        process: It.
        hub: Where they share.
        home: Their folder.
        token: Theirs; one to write unless given.
    """

    def __init__(self, hub: Hub, home: Path, token: str | None, **variables: str) -> None:
        super().__init__(hub, home, token)
        self.environment |= {"PYTHONPATH": str(ROOT), **variables}
        words, pipe = [sys.executable, "-m", "tests.sharing.bad.resident"], subprocess.PIPE
        self.process = subprocess.Popen(
            words, cwd=home, env=self.environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, *words: object) -> Result:
        """What zoo says."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(list(map(str, words))), file=self.process.stdin, flush=True)
        return Result(*json.loads(self.process.stdout.readline()))

    def zoo(self, *words: object, code: int = 0) -> str:
        """What zoo says on both streams; its exit code is checked."""
        done = self.ask(*words)
        assert done.exit_code == code, done.stderr[:2000]
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def pulls(self, reference: str, name: str) -> str:
        """What zoo says of a pull that ends well."""
        told = self.zoo("pull", reference, "-o", name)
        assert (self.home / name / "zoo.lock").exists()
        return told

    def refused(self, reference: str, code: int, *told: str) -> str:
        """What zoo says of a pull that ends badly, with nothing in the folder where it was to be."""
        (self.home / "refused").mkdir(exist_ok=True)
        before = content(self.home / "refused")
        done = self.ask("pull", reference, "-o", self.home / "refused" / "mine")
        assert done.exit_code == code, done.stderr[:2000]
        check_told(done.stderr, told)
        assert done.stdout == ""
        assert content(self.home / "refused") == before
        return done.stderr


@contextmanager
def resident(hub: Hub, home: Path, token: str | None = None, **variables: str) -> Iterator[Resident]:
    """Somebody whose process ends with the block.

    Args:
        hub: Where they share.
        home: Their folder.
        token: Theirs; one to write unless given.
        variables: Further environment variables of the process.
    """
    made = Resident(hub, home, token, **variables)
    with made.process:
        try:
            yield made
        finally:
            made.process.kill()


def main() -> None:
    """Answers one command after the other; waits are short, and a deadline is what the environment says."""
    wait, told = time.sleep, sys.stdout
    patch = pytest.MonkeyPatch()
    patch.setattr(network, "DEADLINE", float(os.environ.get("DEADLINE", network.DEADLINE)))
    patch.setattr(time, "sleep", lambda seconds: wait(min(seconds, 0.02)))
    prove_here(patch)
    for line in sys.stdin:
        done = run(*json.loads(line))
        print(json.dumps([done.exit_code, done.stdout, done.stderr]), file=told, flush=True)


if __name__ == "__main__":
    main()
