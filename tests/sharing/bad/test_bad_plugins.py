"""Rows 18 and 19 where a plugin does not end: an installed one that hangs when it is imported."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sharing.bad.runs import written

HANGING = b"import sys, time\nprint('imported', file=sys.stderr, flush=True)\ntime.sleep(600)\n"

HEARING = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores it
runpy.run_module("zoo", run_name="__main__")
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables for a process that finds the plugin among its installed ones."""
    files = {
        "hanging.py": HANGING,
        "zoo_hanging-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: zoo-hanging\nVersion: 1.0\n",
        "zoo_hanging-1.0.dist-info/entry_points.txt": b"[zoo]\nhanging = hanging\n",
    }
    return {**os.environ, "PYTHONPATH": str(written(files, tmp_path / "site"))}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_18_a_plugin_that_hangs_can_be_interrupted(
    number: signal.Signals, code: int, environment: dict[str, str], tmp_path: Path
) -> None:
    words, pipe = [sys.executable, "-c", HEARING, "list", "heads"], subprocess.PIPE
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "imported\n"
        process.send_signal(number)
        told, error = process.communicate(timeout=60)
    assert (process.returncode, told) == (code, "")
    assert "Traceback" not in error


def test_18_a_plugin_that_hangs_can_be_left_out(environment: dict[str, str], tmp_path: Path) -> None:
    words = [sys.executable, "-m", "zoo", "list", "heads"]
    few = {**environment, "ZOO_PLUGINS": "zoo,timm"}
    done = subprocess.run(words, cwd=tmp_path, env=few, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "zoo/classifier" in done.stdout and "imported" not in done.stderr


def test_18_a_plugin_that_hangs_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    words, pipe = [sys.executable, "-m", "zoo", "list", "heads"], subprocess.PIPE
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "imported\n"
        told = process.stderr.readline()
        process.kill()
    assert "plugin `hanging` (zoo-hanging 1.0) is at import" in told
