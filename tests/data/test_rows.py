import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.toys.models import toy_spec
from zoo.data.rows import Rows, Selection, open_rows
from zoo.errors import UsageError

SPEC = """\
inputs: {{walk: {{type: toy/steps, backbone: toy/recurrent}}}}
heads:
  mood: {{use: toy/choice, classes: [good, bad]}}
  stars: zoo/regressor
data: {data}
evaluate: {evaluate}
"""
WALK = [[0, 0, 0]]


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps({"walk": WALK, "mood": None, "stars": None, **row}) + "\n" for row in rows))


def opened(folder: Path, data: str, evaluate: str = "{}") -> Rows:
    return open_rows(toy_spec(SPEC.format(data=data, evaluate=evaluate), folder))


def error(folder: Path, data: str, evaluate: str = "{}") -> str:
    with pytest.raises(UsageError) as caught:
        opened(folder, data, evaluate)
    return str(caught.value)


def numbers(selections: Sequence[Selection]) -> list[list[int]]:
    return [each.numbers.tolist() for each in selections]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Tables: one with both labels, one with moods alone, one with stars for every other row, one without labels."""
    write(tmp_path / "both.jsonl", [{"mood": "bad" if row % 4 else "good", "stars": row} for row in range(20)])
    write(tmp_path / "moods.jsonl", [{"mood": "good"}] * 5)
    write(tmp_path / "half.jsonl", [{"stars": row if row % 2 else None} for row in range(6)])
    write(tmp_path / "none.jsonl", [{}] * 3)
    return tmp_path


def test_a_share_is_set_aside_with_equal_shares_of_the_classes(folder: Path) -> None:
    rows = opened(folder, "{train: both.jsonl, validation: 0.2}")
    (training,), (aside,) = numbers(rows.training), numbers(rows.validation)
    assert sorted(training + aside) == list(range(20))
    assert len(aside) == 4
    assert sum(row % 4 == 0 for row in aside) == 1
    assert rows.remarks == ()


def test_a_table_of_its_own_is_set_aside_whole(folder: Path) -> None:
    rows = opened(folder, "{train: both.jsonl, validation: moods.jsonl}")
    assert numbers(rows.training) == [list(range(20))]
    assert numbers(rows.validation) == [list(range(5))]
    assert rows.validation[0].heads == {"mood", "stars"}


def test_nothing_is_set_aside(folder: Path) -> None:
    assert opened(folder, "{train: both.jsonl, validation: null}").validation == ()


def test_rows_without_labels_are_left_out_and_this_is_told(folder: Path) -> None:
    rows = opened(folder, "{train: half.jsonl, validation: null}")
    assert numbers(rows.training) == [[1, 3, 5]]
    assert rows.remarks == (f"`{folder / 'half.jsonl'}`: 3 of 6 rows have no label",)


def test_several_tables_feed_their_own_heads(folder: Path) -> None:
    data = (
        "{train: [{path: both.jsonl, heads: [stars]}, {path: moods.jsonl, heads: [mood], weight: 2}], validation: 0.2}"
    )
    rows = opened(folder, data)
    assert [each.heads for each in rows.training] == [{"stars"}, {"mood"}]
    assert [each.weight for each in rows.training] == [1, 2]
    assert [each.weight for each in rows.validation] == [1] * len(rows.validation)
    assert sum(map(len, numbers(rows.validation))) == 5


def test_a_group_is_never_divided_though_it_stands_in_two_tables(folder: Path) -> None:
    write(folder / "a.jsonl", [{"mood": "good", "who": row % 4} for row in range(12)])
    write(folder / "b.jsonl", [{"mood": "bad", "who": row % 4} for row in range(8)])
    rows = opened(folder, "{train: [a.jsonl, b.jsonl], validation: 0.5}", "{groups: who}")
    sides = [
        {selection.table.column("who")[row] for selection in side for row in selection.numbers}
        for side in (rows.training, rows.validation)
    ]
    assert all(sides)
    assert not sides[0] & sides[1]


def test_the_columns_of_heads_that_a_table_does_not_feed_need_not_be_there(folder: Path) -> None:
    (folder / "lean.jsonl").write_text(json.dumps({"walk": WALK, "mood": "good"}) + "\n")
    rows = opened(folder, "{train: [{path: lean.jsonl, heads: [mood]}], validation: null}")
    assert set(rows.training[0].table.columns) == {"walk", "mood"}
    assert "has no column `stars`" in error(folder, "{train: lean.jsonl}")


@pytest.mark.parametrize(
    ("data", "evaluate", "told"),
    [
        ("{}", "{}", "`data.train` names no table to learn from"),
        ("{train: none.jsonl}", "{}", "no row has a label of mood (column `mood`), stars (column `stars`)"),
        (
            "{train: one.jsonl}",
            "{}",
            "`data.validation`: there is one row, which cannot be split; write `validation: null`",
        ),
        ("{train: both.jsonl, validation: absent.csv}", "{}", "absent.csv`: no such file or folder"),
        ("{train: both.jsonl}", "{groups: who}", "has no column `who`"),
    ],
)
def test_what_cannot_be_opened(data: str, evaluate: str, told: str, folder: Path) -> None:
    write(folder / "one.jsonl", [{"mood": "good"}])
    assert told in error(folder, data, evaluate)


def test_a_head_without_labels_learns_from_every_row(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"photo": null}\n' * 3)
    text = "inputs: {photo: {type: toy/picture, backbone: toy/conv}}\nheads: {same: toy/simclr}\n"
    rows = open_rows(toy_spec(text + "data: {train: t.jsonl, validation: null}", tmp_path))
    assert numbers(rows.training) == [[0, 1, 2]]
