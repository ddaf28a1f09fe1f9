"""Groups that a table of its own shares with the training rows are told before a model learns."""

from pathlib import Path

import pytest

from zoo.model.usable import usable_rows
from zoo.spec.load import load_spec

SPEC = """\
inputs: {a: {type: vector, backbone: {use: zoo/mlp, width: 4, layers: 1}}}
heads: {kind: zoo/classifier}
data: {train: train.csv, validation: validation.csv, test: test.csv}
evaluate: {groups: speaker}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, speakers in (("train", "abcb"), ("validation", "defd"), ("test", "bdbg")):
        lines = [f"{number},{'xy'[number % 2]},{speaker}" for number, speaker in enumerate(speakers)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,kind,speaker", *lines]) + "\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    return Path("spec.yaml")


def leaks(spec: Path, *settings: str) -> list[str]:
    return [each for each in usable_rows(load_spec(spec, overrides=settings)).remarks if "groups" in each]


def test_the_test_table_shares_a_speaker_with_the_training_rows(spec: Path) -> None:
    (told,) = leaks(spec)
    assert told.startswith("`test.csv`: 1 of its 3 groups of `speaker` stand in the training rows too (b)")


def test_so_may_a_validation_table_but_not_a_share_of_the_rows(spec: Path) -> None:
    told = leaks(spec, "data.validation=test.csv", "data.test=validation.csv")
    assert [each.split(":")[0] for each in told] == ["`test.csv`"]
    assert not leaks(spec, "data.validation=0.5", "data.test=validation.csv")


def test_without_groups_or_their_column_there_is_nothing_to_tell(spec: Path) -> None:
    assert not leaks(spec, "evaluate={}")
    lines = (spec.parent / "test.csv").read_text().splitlines()
    (spec.parent / "test.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in lines) + "\n")
    assert not leaks(spec)
