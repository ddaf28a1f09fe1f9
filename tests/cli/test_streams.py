"""Where printing is not as it should be: no stdout, one that takes no more, a reader that has gone, plain ASCII."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.command import run
from zoo.cli import cli

ZOO = f"{sys.executable} -m zoo"


def shell(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    surroundings = os.environ | environment
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=surroundings, check=False)


@pytest.mark.parametrize("verb", ["--help", "list", "show zoo/mlp", "plugins --json"])
def test_a_closed_stdout_is_no_defect(verb: str) -> None:
    done = shell(f"{ZOO} {verb} >&-")
    assert (done.returncode, "defect" in done.stderr) == (0, False)


@pytest.mark.parametrize("verb", ["--help", "show zoo/mlp", "list --all"])
def test_a_reader_that_has_gone_is_no_defect(verb: str) -> None:
    done = shell(f"set -o pipefail; {ZOO} {verb} | true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_a_full_disk_is_told() -> None:
    done = shell(f"{ZOO} list > /dev/full")
    assert done.returncode == 2
    assert "the output cannot be written: No space left on device" in done.stderr


def test_what_the_terminal_cannot_show_is_no_defect(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("naïve: 1\n", encoding="utf-8")
    done = shell(f"{ZOO} check {tmp_path / 'spec.yaml'}", PYTHONIOENCODING="ascii")
    assert (done.returncode, "unknown key" in done.stderr) == (2, True)
    assert shell(f"{ZOO} list --all", PYTHONIOENCODING="ascii").returncode == 0


@pytest.mark.parametrize("code", [0, 3, 5])
def test_a_verb_that_exits_by_itself_keeps_its_code(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("leave")
    def leave() -> None:
        click.echo("going")
        sys.exit(code)

    monkeypatch.setitem(cli.commands, "leave", leave)
    result = run("leave")
    assert (result.exit_code, result.stdout) == (code, "going\n")


def test_the_command_leaves_with_all_written_and_all_libraries_heard() -> None:
    code = "import atexit, sys; from zoo.cli import run; atexit.register(print, 'the end'); sys.argv[1:] = {}; run()"
    for words, exit_code in ((["--version"], 0), (["nothing"], 2)):
        done = subprocess.run([sys.executable, "-c", code.format(words)], capture_output=True, text=True)
        assert done.returncode == exit_code
        assert done.stdout.endswith("the end\n")
        assert ("no verb `nothing`" in done.stderr) == bool(exit_code)
