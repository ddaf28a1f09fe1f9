"""What a process leaves that is killed while it writes a file, or fetches one, is gone after the next one."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from zoo.checkpoint.address import Address
from zoo.files import complete_file, replace_file, umask

pytestmark = pytest.mark.skipif(os.name != "posix", reason="about locks that a process leaves when it is killed")

WRITER = """\
import sys, time
from pathlib import Path
from zoo.files import complete_file

with complete_file(Path(sys.argv[1])) as beside:
    beside.write_bytes(b"half")
    print(flush=True)
    time.sleep(60)
"""
FETCHER = """\
import sys
from zoo.checkpoint.address import Address

Address(sys.argv[1]).path("model.safetensors")
"""


def age(folder: Path) -> list[Path]:
    """Makes old what is in a folder, which is given."""
    found = sorted(folder.iterdir())
    for each in found:
        os.utime(each, (0, 0))
    return found


def test_half_a_file_is_swept_once_its_process_is_dead(tmp_path: Path) -> None:
    place = tmp_path / "a.json"
    with subprocess.Popen([sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline()
        (half,) = age(tmp_path)
        replace_file(place, "of another")  # the writer is alive
        assert half.read_bytes() == b"half"
        writer.send_signal(signal.SIGKILL)
    assert half in age(tmp_path)
    replace_file(place, "whole")
    assert [*tmp_path.iterdir()] == [place] and place.read_text() == "whole"


def test_what_is_no_litter_stays(tmp_path: Path) -> None:
    """Files of users with hidden names, new ones, and those of other places."""
    for name in (".a.json.original", ".a.json.zoo-abcdefgh.txt", ".b.json.zoo-abcdefgh.part", ".a.json.abcdefgh.part"):
        (tmp_path / name).write_text("mine")
    (tmp_path / ".a.json.20240131").mkdir()
    os.mkfifo(tmp_path / ".a.json.zoo-waitwait.part")  # whoever opens it waits for ever
    before = age(tmp_path)
    with complete_file(tmp_path / "a.json") as beside:
        young = tmp_path / ".a.json.zoo-abcdefgh.part"
        young.touch()
        beside.write_text("whole")
    replace_file(tmp_path / "a.json", "again")
    assert sorted(tmp_path.iterdir()) == sorted([*before, young, tmp_path / "a.json"])


class Slow(ThreadingHTTPServer):
    """Gives a half of what it has, and then waits; all of it once it is let.

    Args:
        content: What it has.
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content, self.halved, self.let = content, threading.Event(), threading.Event()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/weights.pth"


class _Answer(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        content, middle = self.server.content, len(self.server.content) // 2
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:middle])
        self.server.halved.set()
        self.server.let.wait(60)
        self.wfile.write(content[middle:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    torch.save({"a": torch.arange(1000.0)}, tmp_path / "weights.pth")
    server = Slow((tmp_path / "weights.pth").read_bytes())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.let.set()
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_half_a_download_is_swept_by_the_next_one(slow: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    with subprocess.Popen([sys.executable, "-c", FETCHER, slow.address]) as fetcher:
        assert slow.halved.wait(60)
        fetcher.send_signal(signal.SIGKILL)
    weights = tmp_path / "home" / "weights"
    (half,) = age(weights)
    slow.let.set()
    found = Address(slow.address).path("model.safetensors")
    assert found is not None and [*weights.iterdir()] == [found.parent] and half != found.parent


def test_the_permissions_of_new_files_are_asked_for_without_changing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("another thread would see it"))
        if Path("/proc/self/status").exists():
            assert umask() == 0o027
    finally:
        monkeypatch.undo()
        os.umask(before)
