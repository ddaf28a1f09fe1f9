"""What a command returns to the shell, and what it says when it fails."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.process import zoo
from tests.command import run
from tests.spec.wrong.case import GOOD
from zoo.errors import ExitCode, Interrupted, ZooError


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A right spec."""
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD)
    return path


def breaking(error: BaseException) -> Callable[..., NoReturn]:
    def broken(*_: object, **__: object) -> NoReturn:
        raise error

    return broken


def test_the_codes_are_those_of_the_design() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "DEFECT": 1,
        "USAGE": 2,
        "PLUGIN": 3,
        "CORRUPT": 4,
        "DIGEST": 5,
        "NETWORK": 6,
        "CONFLICT": 7,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 0),
        ("--help", 0),
        ("-h", 0),
        ("--version", 0),
        ("check SPEC", 0),
        ("check --help", 0),
        ("spec render SPEC", 0),
        ("spec schema", 0),
        ("list", 0),
        ("list backbones resnet18", 0),
        ("list recipes", 0),
        ("show zoo/concat", 0),
        ("plugins", 0),
        ("plugins list", 0),
        ("plugins doctor", 0),
        ("check", 2),
        ("check none.yaml", 2),
        ("check SPEC SPEC", 2),
        ("check SPEC --sett a=b", 2),
        ("check SPEC --set", 2),
        ("check SPEC --set a", 2),
        ("spec", 2),
        ("spec rendr SPEC", 2),
        ("spec render none.yaml", 2),
        ("list nothing-like-this", 2),
        ("list banana resnet", 2),
        ("list backbones --jsn", 2),
        ("show", 2),
        ("show zoo/nothing", 2),
        ("show zoo/concat --yaml", 2),
        ("plugins lst", 2),
        ("plugins refresh nobody", 2),
        ("plugins --json list", 2),
        ("chek SPEC", 2),
        ("--verbose", 2),
    ],
)
def test_exit_code(words: str, code: int, spec: Path) -> None:
    result = run(*(spec if word == "SPEC" else word for word in words.split()))
    assert result.exit_code == code
    assert "Traceback" not in result.stderr
    if code:
        assert result.stdout == ""
        assert result.stderr.strip()


@pytest.mark.parametrize(
    ("typed", "meant"), [("chek", "check"), ("plugin", "plugins"), ("lst", "list"), ("docter", "doctor")]
)
def test_a_misspelt_verb_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    result = run(typed)
    assert result.exit_code == 2
    assert f"zoo has no verb `{typed}`; did you mean `zoo {meant}`?" in result.stderr


def test_a_verb_that_is_like_none() -> None:
    assert "zoo has no verb `xyzzy`; `zoo --help` lists the verbs" in run("xyzzy").stderr


def test_a_broken_plugin_exits_3(spec: Path) -> None:
    spec.write_text(GOOD + "requires: {zoo-nobody-has-this: '*'}\n")
    assert run("check", spec).exit_code == 3


def test_a_defect_is_told_without_a_traceback(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(ZeroDivisionError("by zero")))
    result = run("check", spec)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "zoo did not expect this: ZeroDivisionError: by zero" in result.stderr
    assert "report it with the output of --debug" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "words", [["--debug", "check", "SPEC"], ["check", "SPEC", "--debug"], ["check", "--debug", "SPEC"]]
)
def test_debug_shows_the_traceback_of_a_defect(words: list[str], spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(ZeroDivisionError("by zero")))
    result = run(*(spec if word == "SPEC" else word for word in words))
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError" in result.stderr


def test_debug_in_the_environment(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(ZeroDivisionError("by zero")))
    monkeypatch.setenv("ZOO_DEBUG", "1")
    assert "Traceback" in run("check", spec).stderr
    monkeypatch.setenv("ZOO_DEBUG", "0")
    assert "Traceback" not in run("check", spec).stderr


def test_debug_changes_no_exit_code() -> None:
    result = run("show", "zoo/nothing", "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


def test_debug_alone_changes_nothing(spec: Path) -> None:
    assert run("check", spec, "--debug").stdout == run("check", spec).stdout


def test_interrupted_work_has_the_code_of_its_signal(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(Interrupted(15, "saved")))
    result = run("check", spec)
    assert (result.exit_code, result.stderr) == (143, "error: saved\n")


OTHERS = [error for error in ZooError.__subclasses__() if error is not Interrupted]


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: error.__name__)
def test_each_error_has_a_code_of_its_own(error: type[ZooError], spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(error("these words")))
    result = run("check", spec)
    assert result.exit_code == error.exit_code > 1
    assert result.stderr == "error: these words\n"


def test_interrupted(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.spec.load.check_spec", breaking(KeyboardInterrupt()))
    result = run("check", spec)
    assert (result.exit_code, result.stdout, result.stderr.strip()) == (130, "", "interrupted")


def test_a_reader_that_has_had_enough() -> None:
    zoo_lists = [sys.executable, "-m", "zoo", "list", "--all"]
    with subprocess.Popen(zoo_lists, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline().startswith("kind")
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


def test_python_m_zoo() -> None:
    assert zoo("--version").stdout == run("--version").stdout
    assert zoo("chek").returncode == 2


def test_help_lists_every_verb_with_a_sentence() -> None:
    from zoo.cli import VERBS

    told = run("--help").stdout
    for verb, (_, sentence) in VERBS.items():
        assert f"  {verb} " in told
        assert " ".join(sentence.split()[:5]) in " ".join(told.split())


def test_every_verb_tells_its_own_first_line() -> None:
    from zoo.cli import VERBS

    for verb, (_, sentence) in VERBS.items():
        assert sentence in " ".join(run(verb, "--help").stdout.split())
