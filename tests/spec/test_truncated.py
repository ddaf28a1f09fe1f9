"""A spec that is still being typed: wherever it ends, it is told in words, at a place of the text."""

from pathlib import Path

import pytest

from tests.command import run
from zoo.document.source import Source
from zoo.errors import SpecError
from zoo.spec.load import read_spec

EXAMPLE = (Path(__file__).parents[2] / "examples" / "product-mood.yaml").read_text()
TYPED = EXAMPLE[EXAMPLE.index("zoo: 1") :]


@pytest.mark.parametrize("ending", ["", "\n", " ", "\n\n"], ids=repr)
def test_every_beginning_of_a_spec(ending: str) -> None:
    for length in range(len(TYPED)):
        text = TYPED[:length] + ending
        try:
            read_spec(Source(text, "spec.yaml"))
        except SpecError as error:
            for problem in error.problems:
                lines = text.splitlines() or [""]
                assert 1 <= problem.line <= len(lines) + 1
                assert 1 <= problem.column <= max(map(len, lines)) + 1


@pytest.mark.parametrize("text", ["{", "{r:", "a: {d,", "s: 1\nn", "inputs: {photo: {type: image,", "a: [\n\n"])
def test_what_is_never_closed_in_a_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    result = run("check", tmp_path / "spec.yaml")
    assert result.exit_code == 2
    assert "not valid YAML" in result.stderr
