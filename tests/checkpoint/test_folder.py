"""A run folder is complete or absent, whenever the writing of it ends."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zoo import files
from zoo.checkpoint.folder import complete_or_absent
from zoo.errors import ConflictError, UsageError

WRITER = """\
import sys, time
from pathlib import Path
from zoo.checkpoint import folder
from zoo.checkpoint.folder import complete_or_absent

with complete_or_absent(Path(sys.argv[1])) as beside:
    (beside / "model.safetensors").write_bytes(b"half")
    print(beside, flush=True)
    time.sleep(60)
"""


def test_a_folder_that_is_written_takes_its_place_whole(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "one"
    with complete_or_absent(place) as beside:
        (beside / "a").write_text("a")
        assert not place.exists()
        assert beside.parent == place.parent
    assert [path.name for path in place.iterdir()] == ["a"]
    assert list(place.parent.iterdir()) == [place]
    assert place.stat().st_mode & 0o777 == (tmp_path / "runs").stat().st_mode & 0o777


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_fails_leaves_nothing(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error), complete_or_absent(tmp_path / "one") as beside:
        (beside / "a").write_text("a")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("name", [None, "a"])
def test_a_full_disk_is_told_and_leaves_nothing(number: int, name: str | None, tmp_path: Path) -> None:
    """What was to be written to in a folder that nobody will see is told as the folder itself."""
    told = f"`{tmp_path / 'one'}` cannot be written: {os.strerror(number)}"
    with pytest.raises(UsageError) as error, complete_or_absent(tmp_path / "one") as beside:
        (beside / "a").write_text("a")
        raise OSError(number, os.strerror(number), name and str(beside / name))
    assert str(error.value) == told
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_refuses_for_another_reason_is_no_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), complete_or_absent(tmp_path / "one"):
        raise PermissionError(errno.EACCES, "not for you", "elsewhere")
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_leaves_nothing_at_the_place(tmp_path: Path) -> None:
    place = tmp_path / "one"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer.stdout as told:
        beside = Path(told.readline().strip())
    os.kill(writer.pid, signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert (beside / "model.safetensors").read_bytes() == b"half"
    assert not place.exists()
    with complete_or_absent(place) as again:
        (again / "model.safetensors").write_bytes(b"whole")
    assert (place / "model.safetensors").read_bytes() == b"whole"


def test_what_fails_leaves_no_folder_that_was_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for place in ("runs/of/one", "mine/of/one"):
        with pytest.raises(ValueError), complete_or_absent(tmp_path / place):
            raise ValueError
    assert [*tmp_path.rglob("*")] == [tmp_path / "mine"]
    with pytest.raises(ValueError), complete_or_absent(tmp_path / "runs" / "one"):
        (tmp_path / "runs" / "another").mkdir()
        raise ValueError
    assert [*(tmp_path / "runs").iterdir()] == [tmp_path / "runs" / "another"]


def test_what_is_there_already_is_not_touched(tmp_path: Path) -> None:
    place = tmp_path / "one"
    place.mkdir()
    (place / "mine").write_text("mine")
    before = time.time_ns()
    with pytest.raises(ConflictError, match="is there already"), complete_or_absent(place):
        raise AssertionError("it must be refused before anything is computed")
    assert (place / "mine").read_text() == "mine"
    assert place.stat().st_mtime_ns < before
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_at_the_place_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("mine")
    with pytest.raises(ConflictError), complete_or_absent(tmp_path / "one"):
        pass
    assert (tmp_path / "one").read_text() == "mine"


def test_an_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with complete_or_absent(tmp_path / "one") as beside:
        (beside / "a").write_text("a")
    assert (tmp_path / "one" / "a").exists()


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"), complete_or_absent(tmp_path / "file" / "one"):
        pass


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "later"):
        (tmp_path / f"to-{name}").symlink_to(name)
        with complete_or_absent(tmp_path / f"to-{name}") as beside:
            (beside / "a").write_text("a")
        assert (tmp_path / f"to-{name}").is_symlink()
        assert (tmp_path / name / "a").read_text() == "a"


def test_the_working_folder_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="name one within it: run"), complete_or_absent(Path()):
        raise AssertionError
    assert list(tmp_path.iterdir()) == []


def test_what_came_between_is_not_overwritten_and_what_was_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, kept, within = tmp_path / "one", [], tmp_path / "unfinished"
    within.mkdir()
    known = pytest.raises(ConflictError, match=r"is there already.* is whole, in `")
    with known, complete_or_absent(place, within) as beside:
        kept.append(beside)
        (beside / "a").write_text("whole")
        place.mkdir()
        (place / "other").write_text("other's")
    assert (place / "other").read_text() == "other's"
    whole = tmp_path / f"{kept[0].name}.kept"
    monkeypatch.setattr(files, "YOUNG", -1)
    files.sweep(place)
    assert not [*within.iterdir()]
    assert (whole / "a").read_text() == "whole"
