"""Those who share: each has a folder, a token, a cache and an environment of their own."""

import os
import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Protocol, Self

import torch

from zoo.checkpoint.tensors import read_tensors


class Hub(Protocol):
    """Where people share: the Hub of the tests, or the real one."""

    token: str
    """One to write."""

    def environment(self, home: Path | str, *, token: str | None) -> dict[str, str]:
        """Variables for a process whose clients speak to it, and keep what they fetch in a folder."""


class Person:
    """Somebody with a folder of their own, a token and a cache.

    Args:
        hub: Where they share.
        home: Their folder.
        token: Theirs; one to write unless given.
        python: The interpreter of the environment that they work in; that of the tests unless given.
    """

    def __init__(self, hub: Hub, home: Path, token: str | None = None, *, python: Path = Path(sys.executable)) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.python = home, python
        settings = hub.environment(home / "hf", token=hub.token if token is None else token)
        own = {
            "PYTHONPATH": "",
            "OMP_NUM_THREADS": "1",
            "ZOO_CACHE": str(home / "zoo"),
            "ZOO_HOME": str(home / "zoo-home"),
        }
        self.environment = {**os.environ, **settings, **own}

    def unplugged(self) -> Self:
        """The same person without a network: nobody answers."""
        other = copy(self)
        other.environment = {**self.environment, "HF_ENDPOINT": "http://127.0.0.1:9"}
        return other

    def start(self, *words: object) -> "subprocess.Popen[str]":
        """Starts their Python with these words."""
        command, pipe = [str(self.python), *map(str, words)], subprocess.PIPE
        return subprocess.Popen(command, cwd=self.home, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def zoo(self, *words: object, code: int = 0) -> str:
        """What zoo says on both streams; its exit code is checked."""
        return self.run("-m", "zoo", *words, code=code)

    def run(self, *words: object, code: int = 0) -> str:
        """What their Python says on both streams; its exit code is checked."""
        with self.start(*words) as process:
            told = "\n".join(process.communicate(timeout=300))
        assert process.returncode == code, told
        assert "Traceback" not in told
        return told


def weights(run: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run that stand in one file."""
    return read_tensors(run / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    """Whether two runs have the same tensors, bit by bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
