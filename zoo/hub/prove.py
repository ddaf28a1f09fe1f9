"""Reads a run in a process of its own and compares what it says with its golden outputs: `python -m zoo.hub.prove`.

A fresh interpreter has nothing of the process that asks: what is proven there is the folder, and the plugins that are
installed.
"""

import json
import math
import subprocess
import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from zoo.checkpoint.folder import passing_folder
from zoo.errors import (
    ConflictError,
    CorruptError,
    DigestError,
    ExitCode,
    NetworkError,
    PluginError,
    UsageError,
    ZooError,
)
from zoo.files import replace_file
from zoo.hub.endings import signal_name

PATIENCE, RATE = 300, 10_000_000
"""Seconds that the process may take, and bytes of the run for each of which it may take one more."""

WORDS = (sys.executable, "-P", "-m", "zoo.hub.prove")
"""Starts the process; the file for its answer follows. -P: a folder that somebody stands in has no say in what is
imported."""

_ERRORS: dict[int, type[ZooError]] = {
    each.exit_code: each for each in (UsageError, PluginError, CorruptError, DigestError, NetworkError, ConflictError)
}


class Reader:
    """A fresh process that reads one run. Started ahead, it imports what it needs while the run is still fetched.

    Leaving its block ends the process, whatever it is at.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._stack.close()

    def start(self) -> None:
        """Starts the process, which then waits for the run; nothing of a run is read before."""
        if self._process is None:
            # In a file, because plugins print what they like, also when the process ends.
            self._answer = self._stack.enter_context(passing_folder("zoo-prove")) / "answer.json"
            words, pipe, none = [*WORDS, str(self._answer)], subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(words, stdin=pipe, stdout=none, stderr=pipe, text=True, errors="replace")

    def prove(self, run: Path, called: str | None = None) -> float | None:
        """Whether a run is what it was: it is read, and says what its golden outputs tell.

        Args:
            run: The folder.
            called: What messages call it; the folder unless given.

        Returns:
            The largest difference; None where nothing was compared, because there are no golden outputs.

        Raises:
            ZooError: What is wrong with it.
        """
        found: float | None = self._asked(run, called or str(run))["difference"]
        return found

    def make_golden(self, run: Path, output: Path) -> bool:
        """Writes what a run says of some samples; whether any could be made.

        Raises:
            ZooError: The run cannot be read.
        """
        return bool(self._asked(run, str(run), output)["made"])

    def _asked(self, run: Path, called: str, golden: Path | None = None) -> dict[str, Any]:
        """What the process answers.

        Raises:
            ZooError: What it says is wrong.
        """
        told = self.ask(run.resolve(), golden)
        if "error" in told:
            error = str(told["error"]).replace(str(run.resolve()), called)
            named = error if called in error else f"`{called}`: {error}"
            raise _ERRORS.get(int(told["code"]), CorruptError)(named)
        return told

    def ask(self, run: Path, golden: Path | None) -> dict[str, Any]:
        """What `answer` gives there."""
        self.start()
        assert self._process is not None
        question = json.dumps([str(run), golden and str(golden)])
        try:
            _, noise = self._process.communicate(f"{question}\n", seconds := _patience(run))
        except subprocess.TimeoutExpired:
            return _unread(run, f"that took longer than {seconds:.0f} s", ExitCode.USAGE)
        if (found := _answered(self._answer, golden)) is not None:
            return found
        code = self._process.returncode
        if code < 0:
            ended = f"the process that read it was ended by {signal_name(-code)}, as where memory runs out"
            return _unread(run, ended, ExitCode.USAGE)
        last = (noise.strip().splitlines() or [f"it ended with {code}"])[-1]
        return _unread(run, last, ExitCode.CORRUPT)


def prove(run: Path, called: str | None = None) -> float | None:
    """Whether a run is what it was, as a fresh process finds: `Reader.prove`."""
    with Reader() as reader:
        return reader.prove(run, called)


def make_golden(run: Path, output: Path) -> bool:
    """Writes what a run says of some samples, as a fresh process reads it: `Reader.make_golden`."""
    with Reader() as reader:
        return reader.make_golden(run, output)


def _patience(run: Path) -> float:
    """Seconds that a run may take: a stranger's tokenizer may never come to an end, and large weights may take long."""
    return PATIENCE + sum(each.stat().st_size for each in run.glob("*.safetensors")) / RATE


def _unread(run: Path, why: str, code: ExitCode) -> dict[str, Any]:
    return {"error": f"`{run}` could not be read in a process of its own: {why}", "code": int(code)}


def _answered(path: Path, golden: Path | None) -> dict[str, Any] | None:
    """What the process wrote, if it is what `answer` gives."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    match found:
        case {"error": str(), "code": int(code), **more} if not isinstance(code, bool) and not more:
            return dict(found)
        case {"difference": None | int() | float() as number, **more} if golden is None and not more:
            return dict(found) if number is None or _is_size(number) else None
        case {"made": bool(), **more} if golden is not None and not more:
            return dict(found)
    return None


def _is_size(number: float) -> bool:
    return not isinstance(number, bool) and 0 <= number < math.inf


def answer(run: Path, golden: Path | None) -> dict[str, Any]:
    """What the process says: of a run that it reads the difference, or whether golden outputs were made; else an error.

    What a component raises that is built from changed files is told as a run that is damaged.
    """
    try:
        return _compared(run, golden)
    except ZooError as error:
        return {"error": str(error), "code": int(error.exit_code)}
    except MemoryError:
        return {"error": f"`{run}` cannot be read: there is not enough memory", "code": int(ExitCode.USAGE)}
    except Exception as error:
        told = f"`{run}` cannot be read: {type(error).__name__}: {error}"
        return {"error": told, "code": int(ExitCode.CORRUPT)}


def _compared(run: Path, golden: Path | None) -> dict[str, Any]:
    from zoo.checkpoint.verify import read_json
    from zoo.hub.golden import GOLDEN, check_golden, golden_of
    from zoo.model.run import read_run

    model = read_run(run)
    if golden is not None:
        made = golden_of(model)
        if made is not None:
            replace_file(golden, json.dumps(made, ensure_ascii=False, allow_nan=False) + "\n")
        return {"made": made is not None}
    if not (run / GOLDEN).is_file():
        return {"difference": None}
    return {"difference": check_golden(model, read_json(run / GOLDEN), f"`{run}`")}


def main() -> None:
    """Imports what reading a run takes, then waits for a run on stdin, and answers in the file that is named."""
    import_module("zoo.model.run")
    import_module("zoo.hub.golden")
    if question := sys.stdin.readline():
        run, golden = json.loads(question)
        replace_file(Path(sys.argv[1]), json.dumps(answer(Path(run), golden and Path(golden))))


if __name__ == "__main__":
    main()
