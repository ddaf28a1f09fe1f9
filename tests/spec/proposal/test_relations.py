import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.spec.proposal.relations import gives_away, groups

LABELS = [random.Random(row).choice("abc") for row in range(300)]
NUMBERS = [random.Random(row).uniform(-3, 3) for row in range(300)]
NOISE = [random.Random(row + 1000).choice("xyz") for row in range(300)]


def test_a_column_that_tells_every_label_gives_it_away() -> None:
    assert "gives the label away" in gives_away([ord(each) for each in LABELS], LABELS)
    words = [f"the letter {each}" if row % 2 else each for row, each in enumerate(LABELS)]
    assert "(all of them)" in gives_away(words, LABELS)
    words[7] = words[8]
    words[9] = words[10]
    assert "gives the label away" in gives_away(words, LABELS)


def test_a_column_that_follows_from_the_label_was_made_from_it() -> None:
    assert "it follows from the label" in gives_away([each == "a" for each in LABELS], LABELS)
    assert "each of its values is a range" in gives_away([each > 0.5 for each in NUMBERS], NUMBERS)
    assert "but for scale" in gives_away([3 - 2 * each for each in NUMBERS], NUMBERS)


@pytest.mark.parametrize(
    ("cells", "target"),
    [
        (NOISE, LABELS),
        (NUMBERS, LABELS),
        (NOISE, NUMBERS),
        ([each if row % 4 else "c" for row, each in enumerate(LABELS)], LABELS),
        ([f"{each} {row}" for row, each in enumerate(LABELS)], LABELS),  # every row has another
        (LABELS[:20], LABELS[:20]),  # too few
        ([[each] for each in LABELS], LABELS),
        ([None] * 300, LABELS),
        (["x"] * 299 + ["y"], LABELS),
    ],
    ids=range(9),
)
def test_what_tells_no_more_than_an_input_should(cells: list[Any], target: list[Any]) -> None:
    assert not gives_away(cells, target)


@given(st.integers(0, 2**32), st.integers(2, 30), st.integers(2, 5))
def test_chance_gives_nothing_away(seed: int, values: int, classes: int) -> None:
    chance = random.Random(seed)
    cells = [chance.randrange(values) for _ in range(300)]
    assert not gives_away(cells, [str(chance.randrange(classes)) for _ in range(300)])


def test_groups_are_told_by_name_and_repetition() -> None:
    columns: dict[str, list[Any]] = {
        "speaker": ["ann", "bob", "eve"] * 20,
        "video_id": [f"v{row // 4}" for row in range(60)],
        "patientId": [row // 2 for row in range(60)],
        "customer_id": list(range(60)),  # every row has another
        "customer_age": [20, 30, 40] * 20,  # about the customer, and not who
        "photo": ["a.png", "b.png", "c.png"] * 20,
        "colour": ["red", "blue"] * 30,
        "group": ["one"] * 60,
        "person": [f"somebody who is described in words {row % 5}" for row in range(60)],
    }
    assert groups(columns) == {"speaker": 3, "video_id": 15, "patientId": 30}
