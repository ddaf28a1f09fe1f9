"""What goes to stdout: no colours where nobody sees them; and to a file: all of it or nothing."""

import contextlib
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.process import zoo
from tests.command import run
from tests.spec.wrong.case import GOOD
from zoo.errors import UsageError
from zoo.files import replace_file


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    path = tmp_path / "here"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.mark.parametrize("words", [["list"], ["list", "recipes"], ["plugins"], ["show", "zoo/concat"], ["--help"], []])
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["", "NO_COLOR"])
def test_no_colours_where_there_is_no_terminal(words: list[str], variables: dict[str, str]) -> None:
    done = zoo(*words, variables=variables)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="about POSIX modes, links, pipes and terminals")
def test_no_colours_on_a_terminal_with_no_color() -> None:
    import pty

    here, there = pty.openpty()
    settings = os.environ | {"NO_COLOR": "1", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "zoo", "list", "heads"]
    with subprocess.Popen(command, stdout=there, stderr=there, env=settings) as process:
        os.close(there)
        told = b""
        with contextlib.suppress(OSError):  # a closed terminal is an error on Linux
            while piece := os.read(here, 4096):
                told += piece
        assert process.wait(timeout=60) == 0
    os.close(here)
    assert b"zoo/classifier" in told
    assert re.findall(rb"\x1b\[(?:\d+;)*(?:3|4|9|10)\d", told) == []


def test_a_row_is_one_line_where_there_is_no_terminal() -> None:
    done = zoo("list", "heads", variables={"COLUMNS": "40"})
    assert len(done.stdout.splitlines()) == 3
    assert max(map(len, done.stdout.splitlines())) > 80


def test_output_goes_to_a_file(folder: Path) -> None:
    (folder / "spec.yaml").write_text(GOOD)
    result = run("spec", "render", "spec.yaml", "-o", "new/full.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"wrote {Path('new/full.yaml')}\n")
    assert (folder / "new" / "full.yaml").read_text() == run("spec", "render", "spec.yaml").stdout
    assert sorted(path.name for path in (folder / "new").iterdir()) == ["full.yaml"]


def test_a_spec_is_rendered_over_itself(folder: Path) -> None:
    (folder / "spec.yaml").write_text(GOOD)
    assert run("spec", "render", "spec.yaml", "--no-origins", "-o", "spec.yaml").exit_code == 0
    assert run("check", "spec.yaml").exit_code == 0


@pytest.mark.parametrize("target", ["file/full.yaml", "file/sub/full.yaml", ".", "", "x" * 300])
def test_a_file_that_cannot_be_written_exits_2(target: str, folder: Path) -> None:
    (folder / "spec.yaml").write_text(GOOD)
    (folder / "file").write_text("kept")
    result = run("spec", "render", "spec.yaml", "-o", target)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert (folder / "file").read_text() == "kept"
    assert sorted(path.name for path in folder.iterdir()) == ["file", "spec.yaml"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder_exits_2(folder: Path) -> None:
    (folder / "spec.yaml").write_text(GOOD)
    (folder / "closed").mkdir(mode=0o500)
    assert run("spec", "render", "spec.yaml", "-o", "closed/full.yaml").exit_code == 2


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UsageError, match=r"a\.txt cannot be written: No space left on device"):
        replace_file(folder / "a.txt", "new")
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text() == "old"


def test_a_reader_never_sees_half(folder: Path) -> None:
    path = folder / "a.txt"
    texts = [letter * 300_000 for letter in "ab"]
    replace_file(path, texts[0])
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(100):
        replace_file(path, texts[turn % 2])
    done.set()
    reader.join()
    assert seen <= set(texts)
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="about POSIX modes, links, pipes and terminals")
def test_a_new_file_has_the_mode_of_any_new_file(folder: Path) -> None:
    (folder / "plain").write_text("")
    replace_file(folder / "ours", "")
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


@pytest.mark.skipif(os.name != "posix", reason="about POSIX modes, links, pipes and terminals")
def test_a_link_is_written_through(folder: Path) -> None:
    (folder / "real.txt").write_text("old")
    (folder / "link.txt").symlink_to("real.txt")
    replace_file(folder / "link.txt", "new")
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="about POSIX modes, links, pipes and terminals")
def test_a_pipe_is_written_to_and_not_replaced(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text()), daemon=True)
    reader.start()
    replace_file(folder / "pipe", "new")
    reader.join(timeout=10)
    assert read == ["new"]
    assert (folder / "pipe").is_fifo()
