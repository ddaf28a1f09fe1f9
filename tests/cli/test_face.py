"""What zoo looks like: `zoo` alone, its next steps, and `zoo doctor`."""

import json
import shlex
from pathlib import Path

import pytest

from tests.command import run
from tests.spec.wrong.case import GOOD
from zoo.cli import VERBS
from zoo.cli.machine import machine


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    path = tmp_path / "here"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


def steps() -> list[str]:
    """The commands that `zoo` alone proposes."""
    lines = [line.strip() for line in run().stdout.splitlines()]
    return [line[3:].split("  ")[0].strip() for line in lines if line[:2] in ("1.", "2.", "3.")]


def work_through(commands: list[str]) -> None:
    """Runs each command as a shell would; `> FILE` takes the output."""
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "zoo"
        assert words[0] in VERBS
        target = words.pop() if ">" in words else None
        result = run(*(word for word in words if word != ">"))
        assert result.exit_code == 0, command
        if target:
            Path(target).write_text(result.stdout)


def test_three_steps_in_an_empty_folder() -> None:
    commands = steps()
    assert len(commands) == 3
    ready = [command for command in commands if not command.startswith("zoo check")]
    work_through(ready)
    assert run("check", "spec.yaml").exit_code in (0, 2)
    assert "no such file" not in run("check", "spec.yaml", "--set", "data={}").stderr


@pytest.mark.parametrize("name", ["spec.yaml", "my spec.yaml", "it's.yaml", "größe.yaml"])
def test_three_steps_beside_a_spec(name: str, folder: Path) -> None:
    (folder / name).write_text(GOOD)
    commands = steps()
    assert len(commands) == 3
    assert shlex.split(commands[0]) == ["zoo", "check", name]
    work_through(commands)


def test_three_steps_beside_a_spec_with_data(folder: Path) -> None:
    (folder / "spec.yaml").write_text(GOOD + "data: {train: a.csv}\n")
    assert steps() == ["zoo check spec.yaml", "zoo plan spec.yaml", "zoo train spec.yaml"]


@pytest.mark.parametrize("content", [b"version: 3\nservices: {}\n", b"\xff\xfe", b""])
def test_another_yaml_file_is_no_spec(content: bytes, folder: Path) -> None:
    (folder / "compose.yaml").write_bytes(content)
    assert "zoo list recipes" in steps()


def test_the_next_step_of_check_can_be_pasted(folder: Path) -> None:
    (folder / "my spec.yaml").write_text(GOOD)
    result = run("check", "my spec.yaml")
    assert result.stderr.endswith("next: zoo plan 'my spec.yaml'\n")


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares the seconds that torch takes."""
    monkeypatch.setattr("zoo.cli.machine._devices", dict)
    for name in ("HF_TOKEN", "HF_TOKEN_PATH", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"]])
def test_doctor_never_tells_the_token(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "token").write_text("hf_stored_secret")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setenv("HF_ENDPOINT", "https://me:hf_secret@hub.acme")
    result = run(*words)
    assert result.exit_code == 0
    assert "secret" not in result.stdout + result.stderr
    assert "https://hub.acme" in result.stdout
    assert "in HF_TOKEN" in result.stdout


@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize(("value", "offline"), [("1", True), ("true", True), ("YES", True), ("0", False), ("", False)])
def test_doctor_tells_offline_as_the_hub_library_reads_it(
    value: str, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert machine()["hub"]["offline"] is offline


@pytest.mark.usefixtures("no_torch")
def test_doctor_tells_a_stored_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(folder / "hub-home"))
    assert machine()["hub"]["token"].startswith("none")
    (folder / "hub-home").mkdir()
    (folder / "hub-home" / "token").write_text("hf_secret")
    assert machine()["hub"]["token"] == "stored by `hf auth login`"


@pytest.mark.usefixtures("no_torch")
def test_doctor_of_a_machine_with_a_broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.registry.plugins import Broken, Stage
    from zoo.registry.registry import Registry

    monkeypatch.setattr(Registry, "broken", [Broken("acme", "zoo-acme", "2", Stage.IMPORT, "ImportError: x")])
    result = run("doctor")
    assert "plugin `acme` (zoo-acme 2) is broken at import" in result.stdout
    assert result.stderr == "next: zoo plugins doctor\n"


def test_json_of_the_machine_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.cli.machine._devices", dict)
    assert json.loads(json.dumps(machine()))
