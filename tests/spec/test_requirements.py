"""`requires:` against what is installed, and the pip line that would mend it."""

from importlib.metadata import PackageNotFoundError

import pytest

from tests.spec.wrong.case import GOOD
from zoo.document.source import Source
from zoo.errors import Problem, SpecError
from zoo.spec.load import read_spec

INSTALLED = {"zoo-acme": "2.1.0", "zoo-next": "3.0.0rc1"}


@pytest.fixture(autouse=True)
def two_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two plugin distributions."""

    def version(name: str) -> str:
        if name not in INSTALLED:
            raise PackageNotFoundError(name)
        return INSTALLED[name]

    monkeypatch.setattr("zoo.spec.requirements.version", version)


def problems(requires: str, text: str = GOOD) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        read_spec(Source(f"{text}requires: {requires}\n", "spec.yaml"))
    return caught.value.problems


@pytest.mark.parametrize(
    "wanted",
    ["'>=2'", "'>=2,<3'", "'==2.1'", "'~=2.0'", "'*'", "''", "2.1.0", "' >=2 '", "'!=2.0'", "'2.*'"],
)
def test_a_range_that_is_met(wanted: str) -> None:
    spec = read_spec(Source(f"{GOOD}requires: {{zoo-acme: {wanted}}}\n", "spec.yaml"))
    assert list(spec.requires) == ["zoo-acme"]


def test_a_prerelease_that_is_installed_counts() -> None:
    assert read_spec(Source(f"{GOOD}requires: {{zoo-next: '>=2'}}\n", "spec.yaml")).requires


@pytest.mark.parametrize(
    ("wanted", "line"),
    [("'>=3'", '"zoo-acme>=3"'), ("'<2'", '"zoo-acme<2"'), ("1.0", '"zoo-acme==1.0"'), ("'==1.*'", '"zoo-acme==1.*"')],
)
def test_a_range_that_is_not_met(wanted: str, line: str) -> None:
    (problem,) = problems(f"{{zoo-acme: {wanted}}}")
    assert problem.message == f"`zoo-acme` is 2.1.0, wanted is {line.strip(chr(34)).removeprefix('zoo-acme')}"
    assert problem.hint == f"pip install {line}"
    assert (problem.path, problem.line, problem.column) == ("requires.zoo-acme", 6, 12)
    assert problem.exit_code == 3


def test_all_that_is_missing_stands_in_one_line() -> None:
    told = problems("{zoo-a: '*', zoo-acme: '>=9', zoo-b: '>=1,<2'}")
    assert [problem.path for problem in told] == ["requires.zoo-a", "requires.zoo-acme", "requires.zoo-b"]
    assert {problem.hint for problem in told} == {'pip install "zoo-a" "zoo-acme>=9" "zoo-b>=1,<2"'}


@pytest.mark.parametrize(
    "requires",
    ["{'zoo\" && touch gone \"': '*'}", "{'$(touch gone)': '*'}", "{'zoo`touch gone`': '>=1'}"],
)
def test_the_pip_line_holds_no_command_of_a_stranger(requires: str) -> None:
    (problem,) = problems(requires)
    assert "is no name of a distribution" in problem.message
    assert "touch" not in problem.hint


@pytest.mark.parametrize("wanted", ["'===$(touch gone)'", "'===`touch gone`'", "'===\"&&touch'"])
def test_nor_does_its_version(wanted: str) -> None:
    (problem,) = problems(f"{{zoo-acme: {wanted}}}")
    assert "is no version range" in problem.message
    assert "touch" not in problem.hint


@pytest.mark.parametrize("wanted", ["newest", "'>=x'", "'>=1 and <2'", "'=2'", "'^2'"])
def test_what_is_no_range(wanted: str) -> None:
    (problem,) = problems(f"{{zoo-acme: {wanted}}}")
    assert "is no version range" in problem.message
    assert problem.hint == "write it like '>=2,<3'"
    assert problem.exit_code == 2


@pytest.mark.parametrize("requires", ["[zoo-acme]", "zoo-acme", "{zoo-acme: [2]}", "{zoo-acme: null}"])
def test_another_shape(requires: str) -> None:
    (problem,) = problems(requires)
    assert problem.path.startswith("requires")
    assert problem.exit_code == 2


def test_a_wrong_key_beside_a_missing_plugin_exits_2() -> None:
    text = GOOD + "triner: {}\n"
    with pytest.raises(SpecError) as caught:
        read_spec(Source(f"{text}requires: {{zoo-gone: '*'}}\n", "spec.yaml"))
    assert caught.value.exit_code == 2
    with pytest.raises(SpecError) as caught:
        read_spec(Source(f"{GOOD}requires: {{zoo-gone: '*'}}\n", "spec.yaml"))
    assert caught.value.exit_code == 3
