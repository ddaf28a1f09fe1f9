"""Row 24: a disk that is full where a run is saved, pulled to or pushed to; what was there stays as it was."""

import errno
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.command import run
from tests.sharing.bad.runs import changed_json, content, refused, spoiled, stored, written
from tests.sharing.proof import prove_here
from tests.tables import SPEC, write_tables
from zoo.files import file_digest
from zoo.hub import store
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference

FULL = "No space left on device"
PAGE = 4096


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh process takes seconds, and calls the same."""
    prove_here(monkeypatch)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(disk: Path, left: int) -> None:
    """Fills a disk, but for some bytes."""
    with (disk / "others").open("wb") as file:
        file.write(bytes(shutil.disk_usage(disk).free - left))


@pytest.mark.parametrize("left", [0, 2 * PAGE], ids=["nothing", "a little"])
@pytest.mark.parametrize("promised", [False, True], ids=["told before", "told by the disk"])
def test_24_a_pull_to_a_full_disk(
    disk: Path, left: int, promised: bool, shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = stored(shared, tmp_path)
    fill(disk, left)
    if promised:  # as where somebody else takes the room meanwhile
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 0, 1 << 40))
    told = (f"{disk}/mine", FULL) if promised else (reference, "bytes", "free")
    refused(["pull", reference, "-o", disk / "mine"], disk, 2, told)
    (disk / "others").unlink()
    assert run("pull", reference, "-o", disk / "mine").exit_code == 0


@pytest.mark.parametrize("left", [0, 2 * PAGE], ids=["nothing", "a little"])
@pytest.mark.parametrize("verb", ["build", "train"])
def test_24_a_run_on_a_full_disk(disk: Path, left: int, verb: str, tmp_path: Path) -> None:
    spec = write_tables(tmp_path, SPEC.replace("epochs: 4", "epochs: 1"))
    fill(disk, left)
    before = content(disk)
    done = run(verb, spec, "-o", disk / "mine")
    assert done.exit_code == 2, done.stderr
    assert FULL in done.stderr and f"{disk}/mine" in done.stderr and "Traceback" not in done.stderr
    # What a training saves to go on from stands beside the run.
    assert {name: each for name, each in content(disk).items() if "mine.training" not in name} == before
    (disk / "others").unlink()
    resumed = ["--resume"] if verb == "train" else []
    assert run(verb, spec, "-o", disk / "mine", *resumed).exit_code == 0


@pytest.mark.parametrize("left", [0, 3 * PAGE], ids=["nothing", "a little"])
def test_24_a_push_to_a_full_disk(disk: Path, left: int, shared: Mapping[str, bytes], tmp_path: Path) -> None:
    there = FolderStore(read_reference(stored(shared, disk)))
    tip = there.resolve()
    other = spoiled(shared, changed_json("metrics.json", lambda told: told.update(more="x" * 5 * PAGE)))
    folder = written(other, tmp_path / "run")
    fill(disk, left)
    refused(["push", folder, there.reference], folder, 6, (f"`{there.reference}` cannot be written", FULL))
    assert there.resolve() == tip
    for each in (there.folder / "objects").iterdir():  # those that found room are whole, and of no commit yet
        assert hashlib.sha256(each.read_bytes()).hexdigest() == each.name
    (disk / "others").unlink()
    done = run("push", folder, there.reference)
    assert done.exit_code == 0, done.stderr
    assert there.resolve() != tip


def test_24_a_push_with_no_room_for_what_is_temporary(
    disk: Path, shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(shared, tmp_path / "run")
    fill(disk, PAGE)  # with less, another folder for what is temporary would be found
    monkeypatch.setenv("TMPDIR", str(disk))
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = content(folder)
    refused(["push", folder, f"file://{tmp_path}/store"], disk, 2, (str(disk), FULL))
    assert content(folder) == before
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", ["zoo.lock", "model.safetensors"])
def test_24_what_cannot_be_read_is_no_folder_that_cannot_be_written(
    name: str, shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = stored(shared, tmp_path)
    digest = hashlib.sha256(shared[name]).hexdigest()

    def broken(path: Path) -> str:
        if path.name == digest:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return file_digest(path)

    monkeypatch.setattr(store, "file_digest", broken)
    told = (f"`{tmp_path}/store/objects/{digest}` cannot be read: Input/output error",)
    refused(["pull", reference, "-o", tmp_path / "mine"], tmp_path, 6, told)
