"""Batches of rows that are all kept are those that joining them one by one gives, to the last bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.contract import Head
from zoo.data.collate import Collation
from zoo.data.kept import Block, Kept, _Apart, _Stacked, _together
from zoo.data.samples import Sample
from zoo.features import Batch, Values


class Numbers:
    """A head whose labels are numbers; all that is needed of one here."""

    def collate(self, labels: Sequence[int]) -> Tensor:
        return torch.tensor(labels)


def collation() -> Collation:
    head: Any = Numbers()
    heads: dict[str, Head] = {"label": head}
    return Collation({"text": 7.0, "photo": 0.0}, heads)


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Rows, some of which lack an input or the label; texts differ in length, pictures perhaps in height or width."""
    widths = draw(st.sampled_from([[4], [4, 5]]))
    heights = draw(st.sampled_from([[3], [3, 30]]))
    made = []
    for row in range(draw(st.integers(1, 8))):
        inputs = {}
        if draw(st.booleans()):
            inputs["text"] = torch.randint(0, 9, (draw(st.integers(1, 6)),))
        if draw(st.booleans()):
            inputs["photo"] = torch.randn(draw(st.sampled_from(heights)), draw(st.sampled_from(widths)))
        made.append(Sample(inputs, {"label": row} if draw(st.booleans()) else {}, row=10 * row))
    return made


def shown(values: Values) -> list[Tensor | None]:
    """What a backbone is given of each row; None of one that it never sees."""
    here = [True] * len(values) if values.present is None else values.present.tolist()
    return [each if seen else None for each, seen in zip(values.data, here, strict=True)]


def assert_equal(one: Batch, other: Batch) -> None:
    assert (one.ids, one.seeds, one.inputs.keys()) == (other.ids, other.seeds, other.inputs.keys())
    for name, values in one.inputs.items():
        there = other.inputs[name]
        assert type(values.data) is type(there.data)
        for attribute in ("lengths", "present"):
            ours, theirs = getattr(values, attribute), getattr(there, attribute)
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs is None or torch.equal(ours, theirs)
        for ours, theirs in zip(shown(values), shown(there), strict=True):
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs is None or torch.equal(ours, theirs)
    assert one.targets.keys() == other.targets.keys()
    for name, target in one.targets.items():
        assert torch.equal(target.value, other.targets[name].value)
        rows, theirs = target.rows, other.targets[name].rows
        assert (rows is None) == (theirs is None)
        assert rows is None or theirs is None or torch.equal(rows, theirs)


@given(rows=samples(), data=st.data())
def test_a_block_gives_the_batches_that_joining_gives(rows: list[Sample], data: st.DataObject) -> None:
    join = collation()
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=10))
    seeds = list(range(len(chosen)))
    expected = join([rows[number] for number in chosen], seeds)
    assert_equal(Block(rows, join).batch(np.array(chosen), seeds), expected)


def test_rows_are_together_once_all_are_there_and_what_is_made_of_them_has_room() -> None:
    rows = [Sample({"photo": torch.full((2, 2), float(row))}, row=row) for row in range(3)]
    for room, together in ((144, True), (143, False), (0, False)):
        kept = Kept([2, 1], room, collation())
        numbers = kept.numbers(np.array([[0, 0], [0, 1], [1, 0]])).tolist()
        assert numbers == [0, 1, 2]
        for number, row in zip(numbers, rows, strict=True):
            assert kept.block is None
            assert torch.equal(kept.keep(number, row).inputs["photo"], row.inputs["photo"])
        assert (kept.block is not None) is together
        assert len(kept) == (3 if room else 0)


def test_what_has_no_room_any_more_is_given_back_and_not_kept() -> None:
    kept = Kept([3], 32, collation())
    rows = [Sample({"photo": torch.zeros(2, 2)}, row=row) for row in range(3)]
    assert [kept.keep(number, row) is row for number, row in enumerate(rows)] == [False, False, True]
    assert [each is None for each in kept.find([0, 1, 2])] == [False, False, True]


def test_rows_with_much_padding_stay_apart() -> None:
    texts = [torch.zeros(1), torch.zeros(1), torch.zeros(4)]
    assert isinstance(_together(texts, 0), _Stacked)
    assert isinstance(_together([*texts, torch.zeros(9)], 0), _Apart)
    assert isinstance(_together([torch.zeros(2, 3), torch.zeros(2, 4)], 0), _Apart)
    assert isinstance(_together([torch.zeros(3), None, None], 0), _Apart)
    assert isinstance(_together([None], 0), _Apart)
