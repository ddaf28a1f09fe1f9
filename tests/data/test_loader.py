import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils import _pytree as pytree

from tests.data.parts import Labels, Noisy, Toys
from zoo.data.loader import Loader
from zoo.data.memory import Samples
from zoo.data.open import labelled, open_inputs, training, unlabelled
from zoo.data.rows import Selection, open_rows
from zoo.data.step import Share
from zoo.errors import UsageError
from zoo.features import Batch

ROWS = [
    {"image": [float(row)] * (1 + row % 3), "walk": None if row % 5 == 0 else [1.0], "label": "good", "stars": row}
    for row in range(11)
]


def selection(
    rows: Sequence[dict[str, Any]] = ROWS, weight: float = 1.0, heads: Iterable[str] = ("mood", "stars")
) -> Selection:
    return Selection(Samples(rows), np.arange(len(rows)), frozenset(heads), weight)


class BatchLoader(Loader):
    """A loader whose epochs give the whole batch of each step."""

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:  # type: ignore[override]
        return (step.batch for step in super().epoch(number, first))


def loader(head: type[Labels] = Labels, toys: Toys | None = None, **how: Any) -> BatchLoader:
    return BatchLoader(toys or Toys(head), [selection()], batch_size=4, seed=3, **how)


def same(first: Iterable[Batch], second: Iterable[Batch]) -> bool:
    """Whether all batches are the same to the last bit."""
    (one, form), (two, other) = (pytree.tree_flatten(list(each)) for each in (first, second))
    pairs = zip(one, two, strict=True)
    return form == other and all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def ids(batches: Iterable[Batch]) -> list[tuple[int, ...]]:
    return [batch.ids for batch in batches]


def test_iterated_over_it_gives_the_rows_in_order() -> None:
    assert ids(loader()) == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10)]


def test_an_epoch_is_shuffled_by_seed_and_epoch_alone() -> None:
    one, two = loader(), loader()
    list(two.epoch(1))
    assert sorted(sum(ids(one.epoch(2)), ())) == list(range(11))
    assert ids(one.epoch(2)) == ids(two.epoch(2)) != ids(one.epoch(1))
    assert len(one) == len(ids(one.epoch(1))) == 3


def test_a_batch_has_values_labels_and_the_numbers_of_its_rows() -> None:
    batch = next(iter(loader()))
    assert isinstance(batch.inputs["photo"].data, torch.Tensor)
    assert batch.inputs["photo"].data.tolist() == [[0, 0, 0], [0.5, 0.5, 0], [1, 1, 1], [1.5, 0, 0]]
    assert batch.inputs["photo"].lengths is not None
    assert batch.inputs["photo"].lengths.tolist() == [1, 2, 3, 1]
    assert batch.inputs["walk"].present is not None
    assert batch.inputs["walk"].present.tolist() == [False, True, True, True]
    assert batch.targets["stars"].value == [0, 1, 2, 3]


def test_what_was_prepared_is_kept_and_changes_nothing() -> None:
    toys = Toys()
    keeping, forgetting = loader(toys=toys), loader(room=0)
    assert same(keeping.epoch(1), forgetting.epoch(1))
    seen = toys.seen
    assert same(keeping.epoch(2), forgetting.epoch(2))
    assert same(keeping, forgetting)
    assert toys.seen == seen


def test_what_does_not_fit_is_prepared_anew() -> None:
    toys = Toys()
    small = loader(toys=toys, room=40)
    assert same(small.epoch(1), loader().epoch(1))
    once = toys.seen
    assert same(small.epoch(2), loader().epoch(2))
    assert once < toys.seen < 2 * once


def test_random_views_are_made_anew_in_every_epoch() -> None:
    noisy = loader(Noisy)
    assert same(noisy.epoch(1), loader(Noisy).epoch(1))
    assert same(noisy, noisy)
    views = [
        {row: float(view) for batch in noisy.epoch(epoch) for row, view in zip(batch.ids, first(batch), strict=True)}
        for epoch in (1, 2)
    ]
    assert all(views[0][row] != views[1][row] for row in range(11))


def first(batch: Batch) -> Any:
    """The first number of each row's first view."""
    return batch.views["mood"][0]["photo"].data[:, 0]  # type: ignore[call-overload]  # a tensor


@pytest.mark.parametrize("head", [Labels, Noisy])
def test_worker_processes_change_nothing(head: type[Labels]) -> None:
    state = torch.get_rng_state()
    many, one = loader(head, processes=2), loader(head)
    assert same(many.epoch(1), one.epoch(1))
    assert same(many.epoch(2), one.epoch(2))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("processes", [0, 2])
def test_an_error_is_told_as_it_is(processes: int) -> None:
    rows = [*ROWS[:5], ROWS[5] | {"image": "cat.jpg"}, *ROWS[6:]]
    broken = Loader(Toys(), [selection(rows)], batch_size=4, processes=processes)
    with pytest.raises(UsageError) as caught:
        list(broken)
    assert str(caught.value) == "sample 6, column `image`: 'cat.jpg' is no list of numbers"


def test_worker_processes_are_started_where_they_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.data.workers.WORTH", 0.0)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1}, raising=False)
    toys = Toys()
    eager = loader(toys=toys)
    assert same(eager.epoch(1), loader().epoch(1))
    assert toys.seen < sum(row[name] is not None for row in ROWS for name in ("image", "walk"))


def test_tables_are_drawn_by_their_weights_and_feed_their_heads() -> None:
    other = [{"image": [1.0], "walk": [1.0], "stars": None, "label": "good"}] * 4
    both = BatchLoader(Toys(), [selection(heads=["stars"]), selection(other, 2.0, ["mood"])], batch_size=5)
    batches = list(both.epoch(1))
    assert len(batches) == len(both) == 4
    assert sum(len(batch) for batch in batches) == 11 + 8
    moods = sum(len(batch.targets["mood"].value) for batch in batches if "mood" in batch.targets)
    stars = sum(len(batch.targets["stars"].value) for batch in batches if "stars" in batch.targets)
    assert (moods, stars) == (8, 11)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rows in (("train", ROWS), ("test", ROWS[:3])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_loaders_of_a_model(folder: Path) -> None:
    toys = Toys(folder=folder)
    learning, aside = training(toys, open_rows(toys.spec))
    assert aside is not None
    assert sorted(sum([*ids(step.batch for step in learning.epoch(1)), *ids(aside)], ())) == list(range(11))
    name, measured, _ = labelled(toys)
    assert name == "validation"
    assert ids(measured) == ids(aside)
    name, measured, _ = labelled(toys, folder / "test.jsonl")
    assert name == str(folder / "test.jsonl")
    assert ids(measured) == [(0, 1, 2)]


def test_a_table_with_the_labels_of_one_head_is_measured_on_that_one(folder: Path) -> None:
    (folder / "moods.jsonl").write_text('{"image": [1.0], "walk": null, "label": "good"}\n' * 2)
    _, measured, _ = labelled(Toys(folder=folder), folder / "moods.jsonl")
    assert [set(batch.targets) for batch in measured] == [{"mood"}]


def test_a_table_without_labels_is_predicted_and_not_measured(folder: Path) -> None:
    (folder / "plain.jsonl").write_text('{"image": [1.0]}\n' * 2)
    toys = Toys(folder=folder)
    table = open_inputs(toys, folder / "plain.jsonl", absent=["walk"])
    (batch,) = unlabelled(toys, table, absent=["walk"])
    assert batch.targets == {}
    assert batch.inputs["walk"].present is not None
    with pytest.raises(UsageError, match="has no column `walk`"):
        open_inputs(toys, folder / "plain.jsonl")
    with pytest.raises(UsageError, match=r"has no column with labels; the heads read `label`, `stars`"):
        labelled(toys, folder / "plain.jsonl")


def test_nothing_to_measure_on() -> None:
    text = "inputs: {walk: {type: toy/steps, backbone: toy/recurrent}}\nheads: {stars: zoo/regressor}"
    with pytest.raises(UsageError, match="neither a test table nor validation rows"):
        labelled(Toys(text=text))


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_the_rows_of_every_step(processes: int) -> None:
    whole = ids(loader().epoch(2))
    shares = [ids(loader(share=Share(rank, processes)).epoch(2)) for rank in range(processes)]
    assert [sum(parts, ()) for parts in zip(*shares, strict=True)] == whole
    assert all(len(part) >= 1 for share in shares for part in share)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_share_the_batches_in_order(processes: int) -> None:
    shares = [ids(loader(share=Share(rank, processes))) for rank in range(processes)]
    assert [batch for share in shares for batch in share] == ids(loader())


def test_an_epoch_goes_on_where_it_was_left() -> None:
    for head in (Labels, Noisy):
        assert same(list(loader(head).epoch(2))[1:], loader(head).epoch(2, first=1))


def test_a_seed_belongs_to_a_place_in_an_epoch() -> None:
    whole = [seed for batch in loader().epoch(1) for seed in batch.seeds]
    assert len(set(whole)) == 11
    shares = [[batch.seeds for batch in loader(share=Share(rank, 2)).epoch(1)] for rank in range(2)]
    assert [seed for pair in zip(*shares, strict=True) for part in pair for seed in part] == whole
    assert not set(whole) & {seed for batch in loader().epoch(2) for seed in batch.seeds}


def test_parts_of_a_step_have_their_share_of_each_heads_labels() -> None:
    rows = [row | ({"stars": None} if number % 3 else {}) for number, row in enumerate(ROWS)]
    learning = Loader(Toys(), [selection(rows)], batch_size=11)
    (step,) = learning.epoch(1)
    assert step.labelled == {"mood": 11, "stars": 4}
    parts = list(step.batches(3))
    assert [each for part in parts for each in part.ids] == list(step.batch.ids)
    total = {"mood": 0.0, "stars": 0.0}
    for part in parts:
        for head, share in step.weights(part).items():
            total[head] += share
    assert total == pytest.approx({"mood": 1, "stars": 1})
    assert sorted(learning.place((number, row)) for number, row in step.draws.tolist())[0] == "sample 1"


@pytest.mark.parametrize("size", [2, 5, 10, 11, 12])
def test_every_row_comes_once_in_order_also_where_a_single_one_is_left_over(size: int) -> None:
    whole = Loader(Toys(), [selection(ROWS)], batch_size=size)
    assert [each for batch in whole for each in batch.ids] == list(range(len(ROWS)))
    assert sorted(each for step in whole.epoch(1) for each in step.batch.ids) == list(range(len(ROWS)))
