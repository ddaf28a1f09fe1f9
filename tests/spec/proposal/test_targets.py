from collections.abc import Sequence
from typing import Any

import pytest

from zoo.errors import UsageError
from zoo.spec.peek import Peek
from zoo.spec.proposal.targets import NotLearnable, Task, choose, task

SENTENCES = [f"a sentence of six words {row}" for row in range(40)]
KIND = ["cat", "dog"] * 20


def seen(names: Any = None, **columns: Any) -> Peek:
    return Peek(columns, 40, 40, names or {})


def learnt(cells: Sequence[Any], name: str = "y") -> Task:
    return task(name, seen(**{name: cells}))


CLASSIFIER, REGRESSOR = {"use": "zoo/classifier"}, {"use": "zoo/regressor"}
CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("y", KIND, CLASSIFIER),
    ("y", [True, False] * 20, CLASSIFIER),
    ("y", [0, 1] * 20, CLASSIFIER),
    ("y", [3, 7, 9, 11] * 10, CLASSIFIER),
    ("y", [row / 7 for row in range(40)], REGRESSOR),
    ("y", list(range(40)), REGRESSOR),
    ("stars", [1, 2, 3, 4, 5] * 8, REGRESSOR),
    ("score", [0, 1] * 20, CLASSIFIER),
    ("y", [["a", "b"], ["a"], []] * 12, {**CLASSIFIER, "multi_label": True}),
    ("sentiment", [-2.5, 1.0, 0.5, -0.4] * 10, {**REGRESSOR, "sentiment": True}),
    ("label", [-2.6, 2.2, 0.5, -0.4] * 10, {**REGRESSOR, "sentiment": True}),
    ("label", [row / 7 - 2.8 for row in range(40)], REGRESSOR),
    ("sentiment", [-1, 0, 1, -1] * 10, CLASSIFIER),
    ("sentiment", [0.1, 0.9, 0.5, 0.3] * 10, REGRESSOR),
]


@pytest.mark.parametrize(("name", "cells", "section"), CASES, ids=lambda value: str(value)[:30])
def test_what_a_column_is_learnt_as(name: str, cells: list[Any], section: dict[str, Any]) -> None:
    assert learnt(cells, name).section == section


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("y", SENTENCES, "which zoo's heads do not write"),
        ("y", [["a man on a horse", "a horse and a man"]] * 20, "captions"),
        ("boxes", [[[1.0, 2.0, 3.0, 4.0]], []] * 20, "boxes in pictures"),
        ("y", [{"bbox": [[1, 2, 3, 4]], "categories": ["a"]}] * 40, "boxes"),
        ("y", [b"\x89PNG...."] * 40, "pictures inside the table"),
        ("y", ["a.png", "b.png"] * 20, "which are inputs"),
        ("y", ["same"] * 40, "all its cells are the same"),
        ("y", [None] * 40, "it is empty"),
    ],
)
def test_what_no_head_learns_is_named(name: str, cells: list[Any], told: str) -> None:
    with pytest.raises(NotLearnable, match=told):
        learnt(cells, name)


def test_names_of_classes_beside_boxes_are_labels_of_the_boxes() -> None:
    with pytest.raises(NotLearnable, match="boxes"):
        task("labels", seen(boxes=[[[1, 2, 3, 4]]] * 40, labels=[["cell"]] * 40))


def test_whole_numbers_that_stand_for_classes_are_told_with_their_names() -> None:
    learnt_ = task("stars", seen({"stars": ["bad", "fine", "good", "great"]}, stars=[0, 1, 2, 3] * 10))
    assert learnt_.section == CLASSIFIER
    assert "10 rows each: 0 (bad), 1 (fine), 2 (good)" in learnt_.remarks[0]


def test_classes_are_weighed_where_some_are_far_rarer_and_rare_ones_are_remarked() -> None:
    uneven = learnt(["often"] * 36 + ["seldom"] * 3)
    assert uneven.section["class_weights"] == "balanced"
    assert "12 times" in uneven.why[("class_weights",)]
    assert any("seldom has fewer than 10 rows" in each for each in uneven.remarks)
    assert learnt(["often"] * 30 + ["seldom"] * 10).section == CLASSIFIER


def test_rows_without_a_label_are_counted() -> None:
    assert any("4 of 40 rows have no label" in each for each in learnt([*KIND[:36], *[None] * 4]).remarks)


@pytest.mark.parametrize("name", ["label", "Target", "class", "y", "is_label", "rating", "sentiment", "answer"])
def test_the_column_that_is_called_like_a_label_is_chosen(name: str) -> None:
    tasks, why = choose(seen(**{"x": list(range(40)), "kind": KIND, name: KIND}), (), "t.csv")
    assert list(tasks) == [name]
    assert why == "chosen by its name"


def test_the_plainer_name_is_chosen() -> None:
    tasks, _ = choose(seen(rating=[1, 2, 3, 4] * 10, category=KIND, label=KIND), (), "t.csv")
    assert list(tasks) == ["label"]


def test_several_are_learnt_if_they_are_asked_for() -> None:
    tasks, why = choose(seen(rating=[1, 2, 3, 4] * 10, kind=KIND), ["rating", "kind"], "t.csv")
    assert {name: each.section["use"] for name, each in tasks.items()} == {
        "rating": "zoo/regressor",
        "kind": "zoo/classifier",
    }
    assert not why


def test_where_nobody_can_tell_the_candidates_are_listed() -> None:
    with pytest.raises(UsageError, match="No column is called like one") as error:
        choose(seen(kind=KIND, size=[row / 7 for row in range(40)], words=SENTENCES), (), "t.csv")
    assert "--target kind: 2 classes" in str(error.value)
    assert "--target size: numbers from 0 to 5.57143" in str(error.value)
    assert "words" not in str(error.value)
    with pytest.raises(UsageError, match="2 columns are called like one"):
        choose(seen(coarse_label=KIND, fine_label=KIND), (), "t.csv")


def test_a_label_that_cannot_be_learnt_is_not_passed_over_for_another() -> None:
    with pytest.raises(UsageError, match="`label` cannot be learnt: 40 different texts"):
        choose(seen(label=SENTENCES, rating=[1, 2, 3, 4] * 10), (), "t.csv")
