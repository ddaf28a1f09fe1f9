"""Bad data are told or taken as the documentation says, by the verbs themselves."""

import os
from pathlib import Path

import pytest

from tests.command import run
from tests.data.bad import CASES
from tests.data.bad.case import Bad

PAGE = Path(__file__).parent.parent.parent / "docs" / "data.md"
REFUSED = [bad for bad in CASES if bad.exit_code]


@pytest.fixture
def spec(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spec of a case, whose data are written beside it."""
    bad: Bad = request.getfixturevalue("bad")
    if bad.name == "a picture that may not be read" and os.geteuid() == 0:
        pytest.skip("root may read everything")
    bad.write(tmp_path)
    (tmp_path / "spec.yaml").write_text(bad.spec)
    monkeypatch.chdir(tmp_path)
    return Path("spec.yaml")


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_bad_data_are_told_by_the_check(bad: Bad, spec: Path) -> None:
    result = run("data", "check", spec)
    assert bad.told in result.stdout, result.stdout + result.stderr
    assert result.exit_code == bad.exit_code, result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.name)
def test_what_the_check_refuses_training_refuses(bad: Bad, spec: Path) -> None:
    result = run("train", spec, "-o", "run")
    assert result.exit_code == 2, result.stdout + result.stderr
    assert not Path("run").exists()
    if bad.skipped:
        assert bad.told in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("bad", [bad for bad in CASES if bad.skipped or not bad.exit_code], ids=lambda bad: bad.name)
def test_what_is_a_rows_fault_is_left_out_where_that_is_wished(bad: Bad, spec: Path) -> None:
    result = run("train", spec, "-o", "run", "--set", "data.on_error=skip")
    assert result.exit_code == 0, result.stdout + result.stderr
    skipped = Path("run/skipped.csv")
    assert skipped.exists() == bool(bad.exit_code)
    if bad.exit_code:
        assert bad.told in skipped.read_text()
        assert "1 of " in result.stderr


def test_the_table_on_the_page_is_that_of_the_cases() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("<!-- bad data -->\n")[2].partition("\n<!-- end -->")[0]
    head = ["| data | what becomes of it | what is told |", "|---|---|---|"]
    assert table.splitlines() == [*head, *(bad.line() for bad in CASES)]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60
    assert len({bad.name for bad in CASES}) == len(CASES)
