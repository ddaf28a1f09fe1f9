"""Asks a process of its own to read pickled weights: what is in them runs nothing here, and takes nothing from here."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from zoo.checkpoint.folder import passing_folder
from zoo.checkpoint.verify import read_json
from zoo.errors import CorruptError, ExitCode, UsageError
from zoo.hub.endings import signal_name

SPEED = 10 << 20
"""Bytes that are read and written in a second, at least."""

SECONDS = 60
"""Seconds of processor time beside those."""

PATIENCE = 600
"""Seconds to wait beside those for the bytes: another process may have the disk and the processor."""


_SIGNALS = {
    "SIGXCPU": "it took more time than weights of its size need",
    "SIGKILL": "the system killed it, as it does where memory is short",
    "SIGSEGV": "torch crashed over it",
}


@dataclass(frozen=True)
class Request:
    """What the process is asked for.

    Args:
        pickles: By path, the names of the tensors that an index says are in it; None where all are wanted.
        size: Bytes of all of them.
        seconds: Of processor time that reading and writing may take.
        output: The folder to write to.
        answer: The file that tells what came of it.
        ties: Whether the library that loads the weights ties tensors again, so that they need be stored once alone.
    """

    pickles: Mapping[str, list[str] | None]
    size: int
    seconds: int
    output: str
    answer: str
    ties: bool


@dataclass(frozen=True)
class Unpickled:
    """What came of pickles.

    Args:
        tensors: How many were written.
        tied: How many were others under a second name.
        left: What else was in them, in words; some of it.
        more: How much more of it there was.
    """

    tensors: int
    tied: int
    left: list[str]
    more: int


def unpickle(pickles: Mapping[Path, set[str] | None], output: Path, *, ties: bool) -> Unpickled:
    """Writes the tensors of pickles as safetensors into a folder.

    Args:
        pickles: By path, the names of the tensors that are wanted; None where all are.
        output: The folder.
        ties: Whether tensors that are tied are stored once.

    Raises:
        CorruptError: There is more in a pickle than tensors and plain values, it is damaged, or takes too much.
        UsageError: There is no room for what is in it.
    """
    size = sum(path.stat().st_size for path in pickles)
    wanted = {str(path.resolve()): None if names is None else sorted(names) for path, names in pickles.items()}
    first = next(iter(pickles))
    with passing_folder("zoo-import") as passing:
        answer = passing / "answer.json"
        request = Request(wanted, size, SECONDS + size // SPEED, str(output.resolve()), str(answer), ties)
        _run(request, passing / "errors", first)
        told = read_json(answer)
    if "error" in told:
        words = str(told["error"])
        for path in pickles:
            words = words.replace(str(path.resolve()), str(path))
        raise (UsageError if told["code"] == ExitCode.USAGE else CorruptError)(words)
    return Unpickled(**told)


def _run(request: Request, errors: Path, first: Path) -> None:
    # -P: a folder that somebody stands in has no say in what is imported. One thread needs few addresses.
    words = [sys.executable, "-P", "-m", "zoo.hub.unpickle"]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
    patience = PATIENCE + request.size // SPEED
    try:
        with errors.open("wb") as heard:
            done = subprocess.run(
                words,
                input=json.dumps(asdict(request)).encode(),
                stdout=subprocess.DEVNULL,
                stderr=heard,
                env=surroundings,
                timeout=patience,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise CorruptError(f"`{first}` could not be read within {patience} s") from None
    if done.returncode or not Path(request.answer).is_file():
        raise CorruptError(f"`{first}` could not be read in a process of its own: {_ending(done.returncode, errors)}")


def _ending(code: int, errors: Path) -> str:
    if code < 0:
        name = signal_name(-code)
        return _SIGNALS.get(name, f"it was ended by {name}")
    with errors.open("rb") as file:
        file.seek(max(0, errors.stat().st_size - 1000))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else f"it ended with {code}"
