"""How far a push or a pull is told to be: every byte once, on a terminal alone."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.loopback.client import ask
from tests.loopback.faults import Corrupt
from tests.loopback.serving import Loopback
from zoo.hub.pull import pull
from zoo.hub.push import push


class Notes:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[int, list[int]]] = {}

    def step(self, text: str, size: int = 0) -> None:
        self.heard: list[int] = []
        self.steps[text.partition(" ")[0]] = size, self.heard

    def more(self, size: int) -> None:
        self.heard.append(size)

    def aside(self, text: str) -> None:
        self.step(text)


def pull_and_tell(reference: str, output: str) -> dict[str, Any]:
    """For a process of its own: what is heard of a pull."""
    notes = Notes()
    size = pull(reference, output, watch=notes).size
    told, heard = notes.steps["fetching"]
    return {"size": size, "told": told, "heard": heard}


@pytest.mark.slow
def test_every_byte_is_told_once_though_it_is_fetched_twice(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    ask(hub, tmp_path / "ann", push_run, str(trained), "acme/numbers")
    hub.fail("GET", "zoo.yaml", 1, Corrupt())
    first = ask(hub, tmp_path / "bob", pull_and_tell, "acme/numbers", str(tmp_path / "first"))
    again = ask(hub, tmp_path / "bob", pull_and_tell, "acme/numbers", str(tmp_path / "again"))
    for told in (first, again):
        assert sum(told["heard"]) == told["told"] == told["size"]
    assert min(first["heard"]) < 0 <= min(again["heard"])


def push_run(run: str, reference: str) -> None:
    """For a process of its own."""
    push(run, reference)


@pytest.mark.slow
def test_a_push_tells_its_steps(trained: Path, tmp_path: Path) -> None:
    notes = Notes()
    push(trained, f"file://{tmp_path / 'store'}", watch=notes)
    assert list(notes.steps) == ["looking", "sending", "asking", "fetching", "reading"]


@pytest.mark.slow
def test_a_terminal_sees_how_far_it_is_and_a_file_does_not(trained: Path, tmp_path: Path) -> None:
    push(trained, f"file://{tmp_path / 'store'}")
    shown = on_a_terminal("pull", f"file://{tmp_path / 'store'}", "-o", str(tmp_path / "one"))
    assert "fetching store" in shown and "/" in shown and "reading it in a fresh process" in shown
    words = [sys.executable, "-m", "zoo", "pull", f"file://{tmp_path / 'store'}", "-o", str(tmp_path / "two")]
    assert "fetching" not in subprocess.run(words, stderr=subprocess.PIPE, text=True, check=True).stderr


def on_a_terminal(*words: str) -> str:
    """What zoo shows on stderr where that is a terminal."""
    mine, its = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "zoo", *words], stdout=subprocess.DEVNULL, stderr=its)
    os.close(its)
    shown = b""
    try:
        while piece := os.read(mine, 1 << 16):
            shown += piece
    except OSError:  # it has ended
        pass
    os.close(mine)
    assert process.wait() == 0, shown.decode()
    return shown.decode()
