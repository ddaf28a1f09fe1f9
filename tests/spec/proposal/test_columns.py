import random
from pathlib import Path
from typing import Any

import pytest

from zoo.spec.peek import Peek
from zoo.spec.proposal.columns import Choice, choose_inputs
from zoo.spec.proposal.parts import Circumstances

PNG = b"\x89PNG\r\n\x1a\n...."
LABELS = [random.Random(row).choice("ab") for row in range(200)]
WORDS = ["a", "cat", "dog", "on", "under", "the", "red", "mat", "and", "hat"]


def texts(words: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=words)) for _ in range(200)]


def chosen(rows: Any = 5000, weights: Any = "pretrained", targets: Any = ("label",), **columns: Any) -> Choice:
    seen = Peek({**columns, "label": LABELS}, 200, rows)
    return choose_inputs(seen, targets, Circumstances(Path(), weights, rows))


def test_two_columns_of_pictures_share_a_backbone() -> None:
    choice = chosen(before=[PNG] * 200, after=[PNG] * 200)
    assert choice.inputs["after"].section == {"type": "image", "backbone": {"same_as": "before"}}
    assert choice.shared == ["after"]


@pytest.mark.parametrize("weights", ["pretrained", "none"])
def test_pairs_of_texts_share_a_backbone_and_have_lengths_of_their_own(weights: str) -> None:
    choice = chosen(weights=weights, premise=texts(40), hypothesis=texts(6, 1))
    assert choice.inputs["hypothesis"].section["backbone"] == {"same_as": "premise"}
    lengths = [choice.inputs[name].section["max_length"] for name in ("premise", "hypothesis")]
    assert lengths[0] > 3 * lengths[1]


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("text", ["first" if each == "a" else "second" for each in LABELS], "WARNING, it gives the label away"),
        ("speaker", [f"s{row % 20}" for row in range(200)], "it tells whose a row is (20 different ones)"),
        ("split", [["train", "train", "test"][row % 3] for row in range(200)], "which part a row is of: test, train"),
        ("fold", [row % 5 for row in range(200)], "which part a row is of: 0, 1, 2, 3, 4"),
        (
            "photo",
            ["gone.png", "lost.png"] * 100,
            "none of which is there; paths start at the table's folder: `gone.png`",
        ),
        ("photos", [[PNG, PNG]] * 200, "several pictures in one cell"),
        ("made", [f"2024-01-{row % 28 + 1:02}" for row in range(200)], "dates or times"),
        ("boxes", [[[1.0, 2.0, 3.0, 4.0]]] * 200, "boxes, which are labels"),
        ("words", [["a", "b"]] * 200, "lists of texts, which no input reads"),
        ("row", list(range(200)), "it numbers the rows"),
        ("same", ["x"] * 200, "all its cells are the same"),
        ("nothing", [None] * 200, "it is empty"),
        ("city", [f"{row * 7919 % 163}ville" for row in range(200)], "too many for categories"),
    ],
)
def test_what_is_left_out_and_why(name: str, cells: list[Any], told: str) -> None:
    choice = chosen(**{"size": [row / 7 for row in range(200)], name: cells})
    assert told in choice.left_out[name]
    assert list(choice.inputs) == ["facts"]
    assert choice.columns == ["size"]


def test_groups_are_whole_where_there_are_enough() -> None:
    assert chosen(speaker=[f"s{row % 20}" for row in range(200)]).group == "speaker"
    few = chosen(speaker=[f"s{row % 3}" for row in range(200)])
    assert few.group == ""
    assert few.groups == {"speaker": 3}


def test_the_group_with_the_fewest_values_holds_the_others() -> None:
    choice = chosen(video_id=[row // 4 for row in range(200)], speaker=[f"s{row // 20}" for row in range(200)])
    assert choice.group == "speaker"


def test_numbers_and_categories_are_one_input() -> None:
    choice = chosen(colour=["red", "blue"] * 100, size=[row / 7 for row in range(200)])
    assert choice.inputs["facts"].section["columns"] == ["size", "colour"]
    assert choice.inputs["facts"].section["categories"] == ["colour"]


def test_no_target_is_an_input_and_what_is_called_like_one_is_remarked() -> None:
    stars = [random.Random(row + 500).randrange(5) for row in range(200)]
    choice = chosen(stars=stars, size=[row / 7 for row in range(200)])
    assert any("`stars` is called like a label" in each for each in choice.inputs["facts"].above)
    both = chosen(targets=("label", "stars"), stars=stars, size=[row / 7 for row in range(200)])
    assert both.columns == ["size"]


def test_empty_cells_are_remarked() -> None:
    choice = chosen(words=[None if row % 4 == 0 else each for row, each in enumerate(texts(6))])
    assert choice.inputs["words"].above == ("25 % of the cells are empty, which the model learns to do without",)


def test_texts_of_different_languages_share_nothing() -> None:
    russian = ["кошка на ковре и собака под ним", "собака и кошка"] * 100
    choice = chosen(words=texts(6), translation=[f"{each} {row}" for row, each in enumerate(russian)])
    assert choice.shared == []
