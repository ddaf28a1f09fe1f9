from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.contract import Head
from zoo.data.collate import Collation, join
from zoo.data.samples import Sample
from zoo.features import Values


@st.composite
def tensors(draw: st.DrawFn) -> list[Tensor | None]:
    """Tensors of one type, whose shapes agree, or differ in the first dimension, or in all; some rows have none."""
    kind = draw(st.sampled_from(["equal", "first", "all"]))
    dims = draw(st.integers(1, 3))
    dtype = draw(st.sampled_from([torch.float32, torch.int64, torch.uint8]))
    shared = [draw(st.integers(1, 3)) for _ in range(dims)]
    found: list[Tensor | None] = []
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            found.append(None)
            continue
        free = {"equal": 0, "first": 1, "all": dims}[kind]
        shape = [draw(st.integers(1, 4)) if place < free else size for place, size in enumerate(shared)]
        found.append(torch.randint(1, 100, shape).to(dtype))
    return found


def unpadded(values: Values) -> list[Tensor | None]:
    """The rows as they were before they were joined."""
    rows: list[Tensor | None] = []
    for row in range(len(values)):
        data = values.data[row]
        if values.present is not None and not values.present[row]:
            rows.append(None)
        else:
            rows.append(data if values.lengths is None else data[: values.lengths[row]])
    return rows


@given(tensors(), st.integers(0, 9))
def test_without_its_padding_a_batch_is_what_it_was_made_of(rows: list[Tensor | None], padding: int) -> None:
    values = join(rows, padding)
    assert len(values) == len(rows)
    for before, after in zip(rows, unpadded(values), strict=True):
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert before.dtype == after.dtype
            assert torch.equal(before, after)
    if values.lengths is not None:
        assert isinstance(values.data, Tensor)
        assert values.mask is not None
        assert (values.data[~values.mask] == padding).all()
        assert values.data.shape[1] == values.lengths.max()
    assert (values.present is None) == all(row is not None for row in rows)


def test_an_input_that_all_rows_lack() -> None:
    values = join([None, None], 0)
    assert isinstance(values.data, Tensor)
    assert len(values.data) == 2
    assert values.present is not None
    assert values.present.tolist() == [False, False]


def test_what_stands_in_an_absent_row_is_zero() -> None:
    values = join([None, torch.full((2, 2), 7.0), torch.full((2, 2), 7.0)], 5)
    assert isinstance(values.data, Tensor)
    assert values.data[0].tolist() == [[0, 0], [0, 0]]
    assert values.lengths is None


class Doubling(Head):
    def forward(self, reading: Any, targets: Any = None) -> Any:
        raise NotImplementedError

    def loss(self, outputs: Any, targets: Any) -> Tensor:
        raise NotImplementedError

    def decode(self, outputs: Any) -> list[Any]:
        raise NotImplementedError

    def collate(self, labels: Sequence[Any]) -> Tensor:
        return 2 * torch.tensor(labels)


def collation() -> Collation:
    return Collation({"photo": 0.0, "voice": 0.0}, {"size": Doubling()})


def test_labels_are_joined_with_the_rows_that_they_belong_to() -> None:
    photo = {"photo": torch.zeros(3)}
    samples = [Sample(photo, {"size": 1}, row=4), Sample(photo, row=9), Sample(photo, {"size": 3}, row=2)]
    batch = collation()(samples)
    assert batch.ids == (4, 9, 2)
    assert batch.targets["size"].value.tolist() == [2, 6]
    assert batch.targets["size"].rows is not None
    assert batch.targets["size"].rows.tolist() == [0, 2]
    assert collation()(samples[::2]).targets["size"].rows is None
    assert collation()(samples[1:2]).targets == {}


def test_every_input_is_in_every_batch() -> None:
    batch = collation()([Sample({"photo": torch.zeros(3)}), Sample({"photo": torch.ones(3)})])
    assert batch.inputs["photo"].present is None
    assert batch.inputs["voice"].present is not None
    assert not batch.inputs["voice"].present.any()


def test_views_are_joined_one_by_one() -> None:
    photo = torch.zeros(2)
    views: tuple[dict[str, Tensor], ...] = ({"photo": photo + 1}, {"photo": photo + 2})
    samples = [Sample({"photo": photo}, {"size": 1}, {"size": views}), Sample({"photo": photo})]
    first, second = collation()(samples).views["size"]
    assert isinstance(second["photo"].data, Tensor)
    assert second["photo"].data.tolist() == [[2, 2], [0, 0]]
    assert first["photo"].present is not None
    assert first["photo"].present.tolist() == [True, False]
    assert set(first) == {"photo"}
