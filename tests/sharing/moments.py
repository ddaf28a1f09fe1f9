"""Kills of saves, pushes and pulls at the moments that matter, in forks of a process that has everything imported.

A moment is a change of a file below one folder (it is made, written to, renamed, removed), or a step on a socket. They
are counted first; then a fork is told at which of them it ends, by SIGKILL from itself. The process is
`python -m tests.sharing.moments FOLDER RUN`: it reads `[[VERB, ...], MOMENT]` and tells what became of the fork.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.sharing.proof import prove_here
from zoo import files
from zoo.checkpoint.folder import complete_or_absent
from zoo.errors import NetworkError
from zoo.hub.open import open_store
from zoo.hub.pull import pull
from zoo.hub.push import push
from zoo.hub.reference import read_reference
from zoo.model.run import read_run, write_run

ROOT = Path(__file__).resolve().parents[2]

CHANGES = frozenset(
    {
        *("os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.truncate"),
        *("shutil.copyfile", "tempfile.mkdtemp", "tempfile.mkstemp"),
    }
)
"""Events of the interpreter that tell of a change of a file, which comes right after them."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
WRITTEN = frozenset(("write", "writelines", "truncate", "flush", "close"))
SENT = frozenset(("send", "sendall", "sendto", "connect", "shutdown"))
COPIED = frozenset(("sendfile", "copy_file_range"))


class Moments:
    """Counts the moments of this process and ends it at one of them; there is no way back.

    Args:
        folder: Where files matter.
        last: The moment, from 1, at which it ends; None lets it live.
    """

    def __init__(self, folder: str, last: int | None) -> None:
        self.folder, self.last, self.count = folder, last, 0
        self._lock = threading.Lock()
        threading.setprofile(self._called)
        sys.setprofile(self._called)
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What is about to happen to a file."""
        if event == "open":
            changes = bool(arguments[2] & WRITING) and self._matters(arguments[0])
        else:
            # Trees are removed by names within an open folder, whose path nobody tells.
            within = event in ("os.remove", "os.rmdir") and arguments[-1] != -1
            changes = event in CHANGES and (within or any(map(self._matters, arguments)))
        if changes:
            self._meet()

    def _called(self, frame: FrameType, event: str, function: Any) -> None:
        """What has just been written or sent, by a function of C; it may stand in a buffer still."""
        if event != "c_return":
            return
        name = function.__name__
        owner = getattr(function, "__self__", None)
        if (
            (name in WRITTEN and self._matters(getattr(owner, "name", None)))
            or (name in SENT and hasattr(owner, "getpeername"))
            or name in COPIED
        ):
            self._meet()

    def _matters(self, path: Any) -> bool:
        return isinstance(path, (str, os.PathLike)) and str(path).startswith(self.folder)

    def _meet(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Ended:
    """How a fork ended.

    Args:
        killed: Whether by SIGKILL.
        moments: How many it met; None where it was killed.
        told: What it raised.
    """

    killed: bool
    moments: int | None
    told: str


class Worker:
    """The process, as long as it is wanted.

    Args:
        folder: Where files matter. What is temporary is made in its `tmp`.
        run: A run to try everything with once, so that all is imported.
        environment: Further variables.
    """

    def __init__(self, folder: Path, run: Path, environment: Mapping[str, str] = os.environ) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        settings = {"TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sharing.moments", str(folder), str(run)],
            cwd=ROOT,
            env={**os.environ, **environment, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def start(self, *words: object, moment: int | None = None) -> Ended:
        """Does something, a verb and its arguments, in a fork, which is killed at a moment, or not."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(map(str, words)), moment]) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def done(self, *words: object) -> int:
        """Does something to its end; how many moments that had."""
        ended = self.start(*words)
        assert ended.moments is not None, ended.told
        return ended.moments


def main(folder: str, run: str) -> None:
    """Imports everything, and answers."""
    files.YOUNG = -1  # what a fork leaves may be swept at once
    prove_here(pytest.MonkeyPatch())  # a process of its own takes seconds for each fork
    with tempfile.TemporaryDirectory() as name:
        save(run, f"{name}/run")
        push(f"{name}/run", f"file://{name}/store")
        pull(f"file://{name}/store", f"{name}/pulled")
    with suppress(NetworkError):  # where there is a Hub
        open_store(read_reference("acme/nothing")).tip()
    verbs: dict[str, Callable[..., Any]] = {"save": save, "push": push, "commit": commit, "pull": pull}
    gc.freeze()  # a collection in a fork would copy all that is here
    for line in sys.stdin:
        (verb, *arguments), moment = json.loads(line)
        print(json.dumps(forked(partial(verbs[verb], *arguments), folder, moment)), flush=True)


def save(run: str, place: str) -> None:
    """Writes a run as `zoo build` does."""
    with complete_or_absent(Path(place)) as beside:
        write_run(read_run(Path(run)), beside, Path(place), {})


def commit(folder: str, reference: str) -> None:
    """What a push does after it has looked the run over, and before it pulls it back."""
    store = open_store(read_reference(reference))
    store.commit({path.name: path for path in Path(folder).iterdir()}, store.tip(), "commit")


def forked(call: Callable[[], Any], folder: str, moment: int | None) -> dict[str, Any]:
    """Calls something in a fork; how that ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os._exit(_called(call, folder, moment, writing))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return {"killed": killed, "moments": None, "told": f"ended with {status}", **(json.loads(told) if told else {})}


def _called(call: Callable[[], Any], folder: str, moment: int | None, writing: int) -> int:
    moments, told = Moments(folder, moment), ""
    try:
        call()
    except BaseException:
        told = traceback.format_exc()
    sys.setprofile(None)
    with os.fdopen(writing, "w") as pipe:
        json.dump({"moments": None if told else moments.count, "told": told}, pipe)
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
