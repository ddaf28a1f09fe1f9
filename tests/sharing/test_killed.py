"""Saves, pushes and pulls that are killed: nothing is torn, a new start ends with the same bytes, nothing is left."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.loopback.serving import Loopback
from tests.sharing.moments import Worker
from zoo import files
from zoo.checkpoint.folder import complete_or_absent, passing_folder
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference
from zoo.hub.store import Blob

MOMENTS = 12
OLD = {"zoo.lock": "{}", "config.json": "{}", "skipped.csv": "this one goes", "LICENSE": "this one stays"}
"""What a repository holds before the push: some that is changed, some that goes."""


def content(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def some(first: int, last: int, count: int = MOMENTS) -> list[int]:
    """Moments by chance, the same ones each time."""
    return sorted(random.Random(last).sample(range(first, last + 1), count))


@pytest.fixture(scope="module")
def worker(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("killed"), trained) as running:
        yield running


def forget(folder: Path) -> None:
    """Removes what the Hub's clients keep, so that all is asked for again."""
    for name in ("hf", "zoo"):
        shutil.rmtree(folder / name, ignore_errors=True)


def check_killed_runs(worker: Worker, folder: Path, *words: object, missed: int = 0) -> None:
    """Kills what writes a run, at some moments, and starts it anew each time.

    Args:
        worker: Who does it.
        folder: An existing folder; the run is to be its `run`.
        words: What to do, but for the run's place.
        missed: How many kills may come too late, where threads make the moments of one start more than of another.
    """
    place = folder / "run"
    moments = worker.done(*words, place)
    expected, there = content(place), names(folder)
    shutil.rmtree(place)
    for moment in some(1, moments):
        forget(worker.folder)
        ended = worker.start(*words, place, moment=moment)
        missed -= not ended.killed
        assert not (place.exists() and names(place)) or content(place) == expected, moment
        shutil.rmtree(place, ignore_errors=True)
        worker.done(*words, place)
        assert content(place) == expected, moment
        assert (names(folder), names(worker.temporary)) == (there, []), moment
        shutil.rmtree(place)
    assert missed >= 0


@pytest.mark.slow
def test_a_killed_save_leaves_nothing_or_the_whole(worker: Worker, trained: Path) -> None:
    (folder := worker.folder / "saves").mkdir()
    check_killed_runs(worker, folder, "save", trained)


def tree(folder: Path) -> Mapping[str, Blob] | None:
    store = FolderStore(read_reference(f"file://{folder}"))
    tip = store.tip()
    return None if tip is None else store.tree(tip)


@pytest.mark.slow
def test_a_killed_push_into_a_folder_leaves_the_tip_or_the_whole(worker: Worker, trained: Path) -> None:
    place = worker.folder / "store"
    moments = worker.done("push", trained, f"file://{place}")
    whole, objects, there = tree(place), content(place / "objects"), names(place)
    for moment in some(1, moments):
        shutil.rmtree(place)
        assert worker.start("push", trained, f"file://{place}", moment=moment).killed
        assert tree(place) in (None, whole), moment
        worker.done("push", trained, f"file://{place}")
        assert tree(place) == whole and content(place / "objects") == objects, moment
        assert (names(place), names(worker.temporary)) == (there, []), moment


@pytest.mark.slow
def test_a_commit_into_a_folder_that_is_killed_at_any_of_its_moments(worker: Worker) -> None:
    old, new = worker.folder / "old", worker.folder / "new"
    for folder, given in ((old, {"a": "a", "b": "before"}), (new, {"a": "a", "b": "after", "c": "c"})):
        folder.mkdir()
        for name, text in given.items():
            (folder / name).write_text(text)
    worker.done("commit", old, f"file://{worker.folder}/first")
    first = tree(worker.folder / "first")
    found, moment, killed = [], 0, True
    while killed:
        moment, place = moment + 1, worker.folder / f"commit-{moment}"
        shutil.copytree(worker.folder / "first", place)
        ended = worker.start("commit", new, f"file://{place}", moment=moment)
        killed = ended.killed
        found.append(tree(place))
        worker.done("commit", new, f"file://{place}")
        assert len(tree(place) or ()) == 3, moment
        assert len(names(place / "objects")) == 4
        assert names(place) == [".lock", "commits", "main", "objects"]
    before = found.index(found[-1])
    assert moment > 20 and found == [first] * before + [tree(place)] * (moment - before)


@pytest.mark.slow
def test_a_killed_pull_from_a_folder_leaves_nothing_or_the_whole(worker: Worker, trained: Path) -> None:
    (folder := worker.folder / "pulls").mkdir()
    worker.done("push", trained, f"file://{folder}/store")
    check_killed_runs(worker, folder, "pull", f"file://{folder}/store")


@pytest.mark.slow
def test_kills_between_here_and_the_hub(hub: Loopback, trained: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "pulls").mkdir()
    with Worker(tmp_path, trained, {**hub.environment(tmp_path / "hf"), "ZOO_CACHE": str(tmp_path / "zoo")}) as worker:
        hub.put("acme/model", OLD)
        pushed = worker.done("push", trained, "acme/model")
        forget(tmp_path)
        pulled = worker.done("pull", "acme/model", folder / "first")
        check_killed_pushes(hub, worker, trained, pushed - pulled, pushed)
        forget(tmp_path)
        check_killed_runs(worker, folder, "pull", "acme/model", missed=2)


def check_killed_pushes(hub: Loopback, worker: Worker, trained: Path, before: int, moments: int) -> None:
    """The tip is what it was or the whole, and a new start ends with the whole, in one commit."""
    old, whole, found = {name: text.encode() for name, text in OLD.items()}, hub.read("acme/model"), []
    assert whole.keys() > {"zoo.lock", "LICENSE", "model.safetensors"} and "skipped.csv" not in whole
    # Most moments are those of pulling it back; half of the kills come before.
    for moment in (*some(1, before, MOMENTS // 2), *some(before + 1, moments, MOMENTS // 2)):
        forget(worker.folder)
        hub.create("acme/model")
        hub.put("acme/model", OLD)
        worker.start("push", trained, "acme/model", moment=moment)
        found.append(hub.read("acme/model"))
        assert found[-1] in (old, whole), moment
        worker.done("push", trained, "acme/model")
        assert hub.read("acme/model") == whole, moment
        assert len(hub.commits("acme/model")) == 3, moment
        assert names(worker.temporary) == [], moment
    assert old in found and whole in found


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


@pytest.mark.slow
def test_processes_that_are_killed_with_their_children(worker: Worker, trained: Path, tmp_path: Path) -> None:
    """By the clock, and so mostly while they import; each finds what those before it left."""
    chance, place, run = random.Random(0), tmp_path / "store", tmp_path / "run"
    worker.done("push", trained, f"file://{place}")
    worker.done("pull", f"file://{place}", run)
    whole, expected = tree(place), content(run)
    shutil.rmtree(place)
    for _ in range(4):
        killed(["push", trained, f"file://{place}"], tmp_path, chance.uniform(0.5, 8))
        assert tree(place) in (None, whole)
    done(["push", trained, f"file://{place}"], tmp_path)
    assert tree(place) == whole
    for _ in range(4):
        shutil.rmtree(run, ignore_errors=True)
        killed(["pull", f"file://{place}", "-o", run], tmp_path, chance.uniform(0.2, 4))
        assert not (run.exists() and names(run)) or content(run) == expected
    shutil.rmtree(run, ignore_errors=True)
    done(["pull", f"file://{place}", "-o", run], tmp_path)
    assert content(run) == expected


def test_what_killed_processes_left_is_swept_and_what_is_held_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".run.zoo-abcd1234", ".other.zoo-abcd1234", ".run.original", ".run.zoo-abcd12345"):
        (tmp_path / name).mkdir()
    with complete_or_absent(tmp_path / "run") as first:  # young ones are left alone
        assert len(list(tmp_path.glob(".run.*"))) == 4
        monkeypatch.setattr(files, "YOUNG", -1)
        with complete_or_absent(tmp_path / "run") as second:
            assert first.is_dir()
            (second / "a").write_text("")
        (tmp_path / "run" / "a").unlink()
    assert names(tmp_path) == [".other.zoo-abcd1234", ".run.original", ".run.zoo-abcd12345", "run"]


def test_folders_for_a_while_are_gone_and_those_that_were_left_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".zoo-push.zoo-abcd1234").mkdir()
    (tmp_path / ".zoo-push.zoo-abcd1234" / "left").write_text("")
    (tmp_path / "victim").mkdir()
    (tmp_path / ".zoo-push.zoo-linkedto").symlink_to("victim")  # anybody can make one where all may write
    with passing_folder("zoo-push", tmp_path) as first:
        assert len(names(tmp_path)) == 4  # young ones are left alone
        monkeypatch.setattr(files, "YOUNG", -1)
        with pytest.raises(KeyError), passing_folder("zoo-push", tmp_path) as second:
            (second / "a").write_text("")
            assert first.is_dir()
            raise KeyError
    assert names(tmp_path) == [".zoo-push.zoo-linkedto", "victim"]
