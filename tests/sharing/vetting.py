"""Pulls runs that somebody changed up to where torch would be imported: `python -m tests.sharing.vetting GIVEN WORK`.

Each is refused in words, within a few seconds of a processor and little memory, or is put into a folder for whoever
reads what this prints, a line of JSON for each, and removes the folder of the case.
"""

import faulthandler
import json
import random
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import huggingface_hub.file_download
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from tests.sharing import strategies
from tests.sharing.mutants import SPEC, Files, changed, read_files
from zoo.errors import ZooError
from zoo.hub import prove
from zoo.hub.folder_store import FolderStore
from zoo.hub.pull import pull
from zoo.hub.reference import read_reference
from zoo.spec.load import load_spec

IMPORTED = (huggingface_hub.file_download, np)
"""What a pull imports when it needs it; measured is what comes on top."""

SECONDS = 5
MEGABYTES = 300
LONGEST = 60
"""Seconds by the clock, which a loaded machine makes of a few of a processor."""

BY_CHANCE = {"plain": 400, "delta": 250, "sharded": 250, "worded": 100}
DRAWN: list[tuple[str, Callable[[Files], st.SearchStrategy[Files]], int]] = [
    ("plain", strategies.headers, 200),
    ("delta", strategies.headers, 100),
    ("sharded", strategies.indexes, 150),
    ("sharded", strategies.names, 150),
    ("delta", strategies.locks, 150),
    ("sharded", strategies.locks, 100),
    ("plain", strategies.specs, 200),
    ("worded", strategies.specs, 50),
    ("worded", strategies.greedy, 40),
]

UNHURRIED = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Case:
    """Files, which are too many to be printed; the last ones that were vetted stand in the folder."""

    files: Files = field(repr=False)


class Vetting:
    """The cases so far.

    Args:
        given: Folders of good runs.
        work: Where to work.
    """

    def __init__(self, given: Path, work: Path) -> None:
        self.given, self.work, self.cases, self.before = given, work, 0, 0.0
        self.runs = {folder.name: read_files(folder) for folder in sorted(given.iterdir())}
        for name, files in self.runs.items():  # from here on, all is imported
            assert self.vet(name, files) is None
        self.before = peak()

    def vet(self, run: str, files: Files) -> str | None:
        """Pulls a run, the newest in a store of all that were made of a good one; prints what it was refused for."""
        self.cases += 1
        place = self.work / str(self.cases)
        place.mkdir()
        written = {name: self.given / run / name for name in files}
        for number, (name, content) in enumerate(files.items()):
            if self.runs[run].get(name) != content:
                written[name] = place / str(number)
                written[name].write_bytes(content)
        store = FolderStore(read_reference(f"file://{self.work}/{run}"))
        store.commit(written, store.tip(), str(self.cases))
        with limited():
            pulled = refusal(lambda: pull(store.reference, place / "pulled"))
            checked = refusal(lambda: load_spec(written[SPEC])) if SPEC in files else "there is none"
        assert (place / "pulled").exists() == (pulled is None)
        assert "torch" not in sys.modules
        if self.before:
            assert peak() - self.before < MEGABYTES, f"{peak() - self.before:.0f} MB more"
        case = {"run": run, "number": self.cases, "pulled": pulled, "checked": checked}
        print(json.dumps(case), flush=True)
        return pulled


def refusal(call: Callable[[], Any]) -> str | None:
    """What a call is refused for: the kind of the error, whose message is fit to be read; None where it is not."""
    try:
        call()
    except ZooError as error:
        told = str(error)
        assert "Traceback" not in told and len(told) < 20_000, told[:1000]
        return type(error).__name__
    return None


class TooLong(BaseException):
    """Something took too long; nobody catches it as an error of a damaged run."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


@contextmanager
def limited() -> Iterator[None]:
    """Ends what takes too long; ends the process, and tells where it was, if that does not help."""
    signal.signal(signal.SIGPROF, _too_long)
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()


def peak() -> float:
    """Megabytes of memory that this process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(given_runs: str, work: str) -> None:
    """All cases."""
    warnings.simplefilter("ignore", HypothesisWarning)  # of long texts in strategies that nobody prints
    patch = pytest.MonkeyPatch()  # the proof is for whoever has torch
    patch.setattr(prove.Reader, "start", lambda self: None)
    patch.setattr(prove.Reader, "ask", lambda self, run, golden: {"difference": None})
    vetting = Vetting(Path(given_runs), Path(work))
    for run, count in BY_CHANCE.items():
        for number in range(count):
            vetting.vet(run, changed(vetting.runs[run], random.Random(f"{run} {number}")))
    for run, strategy, count in DRAWN:
        draw_all(vetting, run, strategy(vetting.runs[run]), count)


def draw_all(vetting: Vetting, run: str, strategy: st.SearchStrategy[Files], count: int) -> None:
    """Vets so many runs of a strategy; one that fails is made as simple as can be, and told."""

    @settings(UNHURRIED, max_examples=count)
    @given(strategy.map(Case))
    def vet(case: Case) -> None:
        vetting.vet(run, case.files)

    vet()


if __name__ == "__main__":
    main(*sys.argv[1:])
