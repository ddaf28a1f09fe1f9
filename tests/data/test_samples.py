from pathlib import Path
from typing import Any

import pytest
import torch

from tests.data.parts import Noisy, Toys
from zoo.data.memory import Samples, samples_of
from zoo.data.samples import Preparation, Sample
from zoo.data.tables import open_table
from zoo.errors import UsageError

GOOD = {"image": [2.0, 4.0], "walk": [1.0], "label": "good", "stars": 5}
BOTH = ("mood", "stars")


def sample(row: dict[str, Any], toys: Toys | None = None, heads: tuple[str, ...] = BOTH, seed: int = 0) -> Sample:
    return Preparation(toys or Toys(), heads).sample(Samples([row]), 0, row, heads, seed)


def error(row: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        sample(GOOD | row)
    return str(caught.value)


def test_a_cell_goes_through_input_front_end_and_backbone() -> None:
    found = sample(GOOD)
    assert found.inputs["photo"].tolist() == [1.0, 2.0]
    assert found.inputs["walk"].tolist() == [1.0]
    assert found.labels == {"mood": "good", "stars": 5}
    assert found.views == {}


def test_an_empty_cell_is_an_absent_input_or_a_missing_label() -> None:
    found = sample(GOOD | {"walk": None, "stars": None})
    assert set(found.inputs) == {"photo"}
    assert found.labels == {"mood": "good"}


def test_only_the_heads_that_learn_from_a_row_read_their_labels() -> None:
    toys = Toys()
    row = GOOD | {"label": "wrong"}
    assert Preparation(toys, BOTH).sample(Samples([row]), 0, row, ("stars",), 0).labels == {"stars": 5}


def test_what_is_absent_by_wish_is_not_read() -> None:
    preparation = Preparation(Toys(), (), absent=["photo"])
    assert preparation.columns == ("walk",)
    row = {"walk": [3.0]}
    assert set(preparation.sample(Samples([row]), 0, row, (), 0).inputs) == {"walk"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"image": "cat.jpg"}, "sample 1, column `image`: 'cat.jpg' is no list of numbers"),
        ({"walk": []}, "sample 1, column `walk`: it is empty"),
        ({"label": "wrong"}, "sample 1, column `label`: `wrong` is no label"),
        ({"image": None, "walk": None}, "sample 1: it has no input at all (`image`, `walk` are empty); fill one in"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(row: dict[str, Any], told: str) -> None:
    assert told in error(row)


def test_the_place_in_a_file_is_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"image": [1], "walk": [1]}\n\n{"image": [], "walk": [1]}\n')
    table = open_table(path, ["image", "walk"])
    with pytest.raises(UsageError, match=r"t\.jsonl`, line 3, column `image`: it is empty"):
        Preparation(Toys()).sample(table, 1, table.rows([1], ["image", "walk"])[0], (), 0)


def test_views_depend_on_the_seed_and_on_nothing_else() -> None:
    state = torch.get_rng_state()
    one, again, other = (sample(GOOD, Toys(Noisy), seed=seed).views["mood"] for seed in (1, 1, 2))
    assert len(one) == 2
    assert torch.equal(one[0]["photo"], again[0]["photo"])
    assert not torch.equal(one[0]["photo"], one[1]["photo"])
    assert not torch.equal(one[0]["photo"], other[0]["photo"])
    assert torch.equal(torch.get_rng_state(), state)


def test_views_are_made_for_the_heads_that_learn_from_the_row() -> None:
    row = GOOD | {"stars": None}
    assert set(sample(row, Toys(Noisy)).views) == {"mood"}
    assert not Preparation(Toys(Noisy), BOTH).fixed
    assert Preparation(Toys(Noisy)).fixed


SEVERAL = """\
inputs:
  walk: {type: toy/steps, backbone: toy/recurrent}
  size: {type: vector, columns: [height, width], backbone: zoo/mlp}
fusion: toy/mean
heads: {mood: {use: toy/choice, classes: [good, bad]}}
"""


def test_samples_by_input_become_rows_by_column() -> None:
    spec = Toys(text=SEVERAL).spec
    table = samples_of(spec, [{"walk": [1.0], "size": {"height": 2}}, {"size": None}])
    assert table.rows([0, 1], ["walk", "height", "width"]) == [
        {"walk": [1.0], "height": 2, "width": None},
        {"walk": None, "height": None, "width": None},
    ]
    assert table.filled("height").tolist() == [True, False]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"wlak": [1.0]}, "sample 2: there is no input `wlak`; did you mean `walk`?"),
        ({"zzz": [1.0]}, "there is no input `zzz`; there are size, walk"),
        ({"size": 3}, "sample 2, input `size`: expected a mapping of its columns (height, width)"),
        ({"size": {"depth": 3}}, "sample 2, input `size` has no column `depth`; it has height, width"),
    ],
)
def test_samples_that_do_not_fit_the_spec(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        samples_of(Toys(text=SEVERAL).spec, [{"walk": [1.0]}, given])
    assert told in str(caught.value)
