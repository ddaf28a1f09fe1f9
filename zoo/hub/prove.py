"""Reads a run in a process of its own and compares what it says with its golden outputs: `python -m zoo.hub.prove RUN`.

A fresh interpreter has nothing of the process that asks: what is proven there is the folder, and the plugins that are
installed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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

PATIENCE = 1800
"""Seconds that the process may take."""

_ERRORS: dict[int, type[ZooError]] = {
    each.exit_code: each for each in (UsageError, PluginError, CorruptError, DigestError, NetworkError, ConflictError)
}


def prove(run: Path, called: str | None = None) -> float | None:
    """Whether a run is what it was: in a fresh process it is read, and says what its golden outputs tell.

    Args:
        run: The folder.
        called: What messages call it; the folder unless given.

    Returns:
        The largest difference; None where nothing was compared, because there are no golden outputs.

    Raises:
        ZooError: What is wrong with it.
    """
    found: float | None = _asked(run, called or str(run))["difference"]
    return found


def make_golden(run: Path, output: Path) -> bool:
    """Writes what a run says of some samples, as a fresh process reads it; whether any could be made.

    Raises:
        ZooError: The run cannot be read.
    """
    return bool(_asked(run, str(run), output)["made"])


def _asked(run: Path, called: str, golden: Path | None = None) -> dict[str, Any]:
    """What the fresh process answers.

    Raises:
        ZooError: What it says is wrong.
    """
    told = _in_a_fresh_process(run.resolve(), golden)
    if "error" in told:
        error = str(told["error"]).replace(str(run.resolve()), called)
        named = error if called in error else f"`{called}`: {error}"
        raise _ERRORS.get(int(told["code"]), CorruptError)(named)
    return told


def _in_a_fresh_process(run: Path, golden: Path | None) -> dict[str, Any]:
    # -P: a folder that somebody stands in has no say in what is imported.
    words = [sys.executable, "-P", "-m", "zoo.hub.prove", str(run), *([str(golden)] if golden else [])]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise CorruptError(f"`{run}` could not be read within {PATIENCE} s") from None
    try:
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        return {"error": f"`{run}` could not be read in a process of its own: {last}", "code": int(ExitCode.CORRUPT)}
    return told


def answer(run: Path, golden: Path | None) -> dict[str, Any]:
    """What the process says: of a run that it reads the difference, or whether golden outputs were made; else an error.

    What a component raises that is built from changed files is told as a run that is damaged.
    """
    try:
        return _compared(run, golden)
    except ZooError as error:
        return {"error": str(error), "code": int(error.exit_code)}
    except Exception as error:
        told = f"`{run}` cannot be read: {type(error).__name__}: {error}"
        return {"error": told, "code": int(ExitCode.CORRUPT)}


def _compared(run: Path, golden: Path | None) -> dict[str, Any]:
    from zoo.checkpoint.verify import read_json
    from zoo.files import replace_file
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


if __name__ == "__main__":
    print(json.dumps(answer(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)))
