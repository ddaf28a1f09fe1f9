"""Pushes and pulls that are killed at random moments: nothing is torn, and a new start ends with the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo.checkpoint import folder as folders
from zoo.checkpoint.folder import complete_or_absent
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference

MOMENTS = 12


def killed(words: list[object], folder: Path, after: float) -> None:
    """Starts zoo in a group of its own, and kills all of it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command, nothing = [sys.executable, "-m", "zoo", *map(str, words)], subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=nothing, stderr=nothing, start_new_session=True
    ) as process:
        time.sleep(after)
        os.killpg(process.pid, signal.SIGKILL)


def done(words: list[object], folder: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "zoo", *map(str, words)]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.slow
def test_killed_pushes_leave_the_tip_or_the_whole_and_converge(trained: Path, tmp_path: Path) -> None:
    chance, store = random.Random(0), FolderStore(read_reference(f"file://{tmp_path}/store"))
    started = time.monotonic()
    done(["push", trained, f"file://{tmp_path}/whole"], tmp_path)
    whole = FolderStore(read_reference(f"file://{tmp_path}/whole"))
    expected, takes = whole.tree(whole.resolve()), time.monotonic() - started
    for _ in range(MOMENTS):
        killed(["push", trained, store.reference], tmp_path, chance.uniform(0.1, takes))
        tip = store.tip()
        assert tip is None or store.tree(tip) == expected
    done(["push", trained, store.reference], tmp_path)
    assert store.tree(store.resolve()) == expected
    assert content(store.folder / "objects") == content(whole.folder / "objects")


@pytest.mark.slow
def test_killed_pulls_leave_nothing_or_the_whole_and_converge(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, store = random.Random(0), f"file://{tmp_path}/store"
    done(["push", trained, store], tmp_path)
    started = time.monotonic()
    done(["pull", store, "-o", "whole"], tmp_path)
    takes = time.monotonic() - started
    expected, torn = content(tmp_path / "whole"), 0
    for _ in range(MOMENTS):
        killed(["pull", store, "-o", "cut"], tmp_path, chance.uniform(0.1, takes))
        if (tmp_path / "cut").exists():
            assert content(tmp_path / "cut") == expected
            shutil.rmtree(tmp_path / "cut")
        torn += len(list(tmp_path.glob(".cut.*")))
    assert torn > 0, "no kill fell into a pull"
    monkeypatch.setattr(folders, "YOUNG", -1)
    folders.sweep(tmp_path / "cut")
    done(["pull", store, "-o", "cut"], tmp_path)
    assert content(tmp_path / "cut") == expected
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cut", "store", "whole"]


def test_what_killed_processes_left_is_swept_and_what_is_held_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".run.abcd1234", ".other.abcd1234", ".run.notmine", ".run.abcd12345"):
        (tmp_path / name).mkdir()
    with complete_or_absent(tmp_path / "run") as first:  # young ones are left alone
        assert len(list(tmp_path.glob(".run.*"))) == 4
        monkeypatch.setattr(folders, "YOUNG", -1)
        with complete_or_absent(tmp_path / "run") as second:
            assert first.is_dir()
            (second / "a").write_text("")
        (tmp_path / "run" / "a").unlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".other.abcd1234",
        ".run.abcd12345",
        ".run.notmine",
        "run",
    ]
