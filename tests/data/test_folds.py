from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.folds import FoldRows
from zoo.data.given import given_table
from zoo.data.rows import Selection
from zoo.errors import UsageError
from zoo.spec.load import load_spec

SPEC = {
    "inputs": {"x": {"type": "vector", "columns": ["x"], "backbone": "zoo/mlp"}},
    "heads": {"kind": "zoo/classifier"},
}
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=12, max_size=80)
FOLDS, SEEDS = st.integers(2, 5), st.integers(0, 2**32 - 1)


def fold_rows(rows: list[tuple[Any, int]], grouped: bool, tables: int = 1) -> FoldRows:
    spec = load_spec(SPEC | ({"evaluate": {"groups": "who"}} if grouped else {}))
    cells = [{"x": 0.0, "kind": kind, "who": who} for kind, who in rows]
    parts = [cells[number::tables] for number in range(tables)]
    given_tables: list[Any] = [given_table(f"table{number}", part) for number, part in enumerate(parts)]
    return FoldRows(spec, [Selection(each, np.arange(len(each)), frozenset({"kind"})) for each in given_tables])


def held(rows: FoldRows, folds: int, seed: int) -> Any:
    try:
        return rows.folds(folds, seed)
    except UsageError as error:  # few rows: told, and nothing to look at
        assert "fold" in str(error) or "nothing is left to learn it from" in str(error)
        return None


@settings(max_examples=50, deadline=None)
@given(ROWS, FOLDS, SEEDS, st.integers(1, 3))
def test_every_row_is_held_out_once_and_each_class_has_its_share_to_a_row(
    rows: list[tuple[Any, int]], folds: int, seed: int, tables: int
) -> None:
    made = fold_rows(rows, grouped=False, tables=tables)
    found = held(made, folds, seed)
    if found is None:
        return
    assert len(found) == len(rows) and set(found.tolist()) == set(range(folds))
    assert (found == made.folds(folds, seed)).all()
    for label in set(made.labels):
        mine = np.array([each == label for each in made.labels])
        counts = np.bincount(found[mine], minlength=folds)
        assert counts.max() - counts.min() <= 1


@settings(max_examples=50, deadline=None)
@given(ROWS, FOLDS, SEEDS, st.integers(1, 3))
def test_groups_are_whole(rows: list[tuple[Any, int]], folds: int, seed: int, tables: int) -> None:
    made = fold_rows(rows, grouped=True, tables=tables)
    found = held(made, folds, seed)
    if found is None:
        return
    assert set(found.tolist()) == set(range(folds))
    order = [row for number in range(tables) for row in rows[number::tables]]
    where: dict[int, set[int]] = {}
    for (_, who), fold in zip(order, found.tolist(), strict=True):
        where.setdefault(who, set()).add(fold)
    assert all(len(each) == 1 for each in where.values())


@settings(max_examples=50, deadline=None)
@given(ROWS, SEEDS, st.booleans())
def test_shares_are_nested_and_have_every_class(rows: list[tuple[Any, int]], seed: int, grouped: bool) -> None:
    made = fold_rows(rows, grouped)
    among = np.arange(len(rows)) % 3 != 0
    smaller, larger = (made.share(among, share, seed) for share in (0.25, 0.5))
    assert not (smaller & ~larger).any() and not (larger & ~among).any()
    labels = np.array(made.labels)
    assert set(labels[smaller].tolist()) == set(labels[among].tolist())
    if grouped:
        who = np.array([each for _, each in rows])
        for part in (smaller, larger):
            assert not {*who[part].tolist()} & {*who[among & ~part].tolist()}


def test_other_seeds_divide_otherwise() -> None:
    made = fold_rows([("ab"[number % 2], number) for number in range(40)], grouped=False)
    assert (made.folds(4, 0) != made.folds(4, 1)).any()


def test_a_row_of_two_tables_of_the_same_file_is_held_out_of_both() -> None:
    spec = load_spec(SPEC)
    table = given_table("same", [{"x": 0.0, "kind": "ab"[row % 2]} for row in range(20)])
    parts = [Selection(table, np.arange(20), frozenset({"kind"})) for _ in range(2)]
    found = FoldRows(spec, parts).folds(4, 0)
    assert (found[:20] == found[20:]).all()


@pytest.mark.parametrize(
    ("rows", "folds", "grouped", "told"),
    [
        ([("a", 0), ("b", 1), ("a", 2)], 5, False, "there are 3 rows and 5 folds; take fewer folds: --folds 3"),
        ([("ab"[row % 2], row % 2) for row in range(20)], 3, True, "2 groups of `who` and 3 folds"),
        ([("ab"[row % 2], 0) for row in range(20)], 3, True, "1 groups of `who` and 3 folds; label more"),
        ([("abcde"[row % 5], row) for row in range(20)], 5, False, None),
        ([("a", row) for row in range(20)] + [("b", 20)], 4, False, "the class `b` has one row, and nothing is left"),
        (
            [("a", row) for row in range(20)] + [("b", 20)] * 3,
            4,
            True,
            "the class `b` has 3 rows, all held out at once, and nothing is left",
        ),
    ],
)
def test_too_few_rows_are_told(rows: list[tuple[Any, int]], folds: int, grouped: bool, told: str | None) -> None:
    made = fold_rows(rows, grouped)
    if told is None:
        made.folds(folds, 0)
        assert made.remarks(folds) == [
            "fewer rows than the 5 folds, so that some hold none out: `a` (4), `b` (4), `c` (4), `d` (4), `e` (4)"
        ]
        return
    with pytest.raises(UsageError) as caught:
        made.folds(folds, 0)
    assert told in str(caught.value)
