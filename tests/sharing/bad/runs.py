"""What the table of bad inputs is tried with: shared runs that somebody spoiled, and verbs that must refuse them.

The rows are those of the table in `test_rows.py`.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.command import run
from zoo.files import json_text
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference

Files = dict[str, bytes]
"""The files of a run, by name."""

Spoil = Callable[[Files], object]
"""Changes the files of a run in place."""

MEASURED = """\
import json, re, sys, time
from pathlib import Path
from zoo.cli import main
try:
    main(sys.argv[2:])
finally:
    status = Path("/proc/self/status")
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) / 1024 if status.exists() else 0
    Path(sys.argv[1]).write_text(json.dumps([peak, time.process_time()]))
"""


@dataclass(frozen=True)
class Bad:
    """A bad input.

    Args:
        row: Of the table.
        what: What it is.
        spoil: Makes it of a good run.
        code: What zoo returns to the shell.
        words: What it says, on stderr; all of them.
    """

    row: int
    what: str
    spoil: Spoil
    code: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.row}-{self.what}"


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Args:
        megabytes: Memory, at most; 0 where the system does not tell.
        seconds: Of a processor.
    """

    megabytes: float
    seconds: float


def content(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder, hidden files and folders too."""
    return {
        each.relative_to(folder).as_posix(): each.read_bytes() if each.is_file() else None for each in folder.rglob("*")
    }


def refused(words: list[object], place: Path, code: int, told: tuple[str, ...]) -> str:
    """Runs zoo, which says on stderr what is wrong, in words alone, and leaves everything in a folder as it was."""
    before = content(place)
    done = run(*words)
    assert done.exit_code == code, done.stderr[:2000]
    check_told(done.stderr, told)
    assert done.stdout == ""
    assert content(place) == before
    return done.stderr


def check_told(text: str, told: tuple[str, ...]) -> None:
    """Looks for words in what zoo said, which is short, and no traceback."""
    for each in told:
        assert each in text, text[:2000]
    assert "Traceback" not in text
    assert len(text) < 50_000


def spoiled(files: Mapping[str, bytes], spoil: Spoil) -> Files:
    """The files after a change, and a lock that tells of each that was changed, as of somebody who means it."""
    changed = dict(files)
    spoil(changed)
    others = [name for name in {**files, **changed} if files.get(name) != changed.get(name) and name != "zoo.lock"]
    if others:
        changed_json("zoo.lock", partial(_retell, changed, others))(changed)
    return changed


def _retell(files: Files, names: list[str], lock: dict[str, Any]) -> None:
    for name in names:
        if name not in files:
            lock["shared"]["files"].pop(name, None)
            continue
        digest = hashlib.sha256(files[name]).hexdigest()
        lock["shared"]["files"][name] = {"size": len(files[name]), "sha256": digest}
        if name in lock["files"]:
            lock["files"][name] = digest


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """A folder with these files."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def stored(files: Mapping[str, bytes], folder: Path) -> str:
    """The name of a shared run with these files, in a store in a folder."""
    with_names = written({str(number): data for number, data in enumerate(files.values())}, folder / "given")
    paths = {name: with_names / str(number) for number, name in enumerate(files)}
    store = FolderStore(read_reference(f"file://{folder}/store"))
    store.commit(paths, None, "put by a test")
    shutil.rmtree(with_names)
    return str(store.reference)


def changed_json(name: str, change: Callable[[dict[str, Any]], object]) -> Spoil:
    """A change of what a JSON file tells."""

    def spoil(files: Files) -> None:
        told = json.loads(files[name])
        change(told)
        files[name] = json_text(told).encode()

    return spoil


def cost(words: list[object], folder: Path, code: int, told: tuple[str, ...]) -> Cost:
    """What zoo takes in a process of its own to refuse something."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", MEASURED, str(folder / "cost.json"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == code, done.stderr[:2000]
    check_told(done.stderr, told)
    return Cost(*json.loads((folder / "cost.json").read_text()))


def check_bounded(taken: Cost, usual: Cost) -> None:
    """Compares what a refusal took with what zoo takes for anything: its imports."""
    assert taken.megabytes - usual.megabytes < 300, taken
    assert taken.seconds - usual.seconds < 5, taken
