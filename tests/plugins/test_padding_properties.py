"""Law 4 of whole batches: what stands under padding and in absent rows changes no bit, and other rows only rounding.

Lengths, which rows lack which input, and how much more padding there is than need be are drawn at random.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.plugins import core_backbones, core_fusions
from tests.plugins.tiny_transformers import SOUNDS, TEXTS
from tests.plugins.tiny_transformers import make as make_encoder
from zoo.contract import Backbone
from zoo.features import Features, Values
from zoo.model.tower import run_tower

ROWS = 5
Rows: TypeAlias = list[int | None]
"""How long each row is; None: it lacks the input."""
GARBAGE: Mapping[torch.dtype, tuple[float, ...]] = {
    torch.float32: (float("nan"), float("-inf"), 1e30),
    torch.int64: (59, -7, 10**6),
}


@dataclass(frozen=True)
class Reader:
    """A backbone, and real values `(ROWS, steps, ...)` of the greatest length."""

    make: Callable[[], Backbone]
    real: Tensor
    shortest: int = 1

    def values(self, rows: Rows, more: int, garbage: float) -> Values:
        """Rows of these lengths, and garbage wherever nothing is, which is `more` steps longer than need be."""
        lengths, there = torch.tensor([row or 0 for row in rows]), torch.tensor([row is not None for row in rows])
        data = self.real.new_tensor(garbage).repeat(len(rows), int(lengths.max()) + more, *self.real.shape[2:])
        for place, length in enumerate(lengths.tolist()):
            data[place, :length] = self.real[place, :length]
        return Values(data, lengths, None if bool(there.all()) else there)

    def rows(self, count: int | None = None) -> st.SearchStrategy[Rows]:
        """Few lengths for many rows, so that some are equal."""
        lengths = st.lists(st.integers(self.shortest, self.real.shape[1]), min_size=1, max_size=3)
        row = lengths.flatmap(lambda some: st.lists(st.none() | st.sampled_from(some), min_size=1, max_size=ROWS))
        return row if count is None else row.map(lambda rows: (rows * count)[:count])


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


IDS = torch.randint(5, 59, (ROWS, 12), generator=torch.Generator().manual_seed(0))
READERS = {
    "bert": Reader(cache(lambda: make_encoder(TEXTS[0])), IDS),
    "gpt2": Reader(cache(lambda: make_encoder(TEXTS[6])), IDS),
    "wav2vec2": Reader(cache(lambda: make_encoder(SOUNDS[0])), drawn(ROWS, 900), shortest=200),
    "gru": Reader(cache(lambda: core_backbones.build("gru")), drawn(ROWS, 7, 3)),
    "sequence-transformer": Reader(cache(lambda: core_backbones.build("sequence-transformer")), drawn(ROWS, 7, 3)),
}
NUMBERS = core_backbones.build("mlp of numbers")
SHAPES = {**{name: READERS[name].make().features for name in ("gpt2", "gru")}, "numbers": NUMBERS.features}
each_reader = pytest.mark.parametrize("name", READERS)
each_fusion = pytest.mark.parametrize("name", core_fusions.TINY)
fused = cache(lambda name: core_fusions.build(name, SHAPES))


def test_they_pad_and_pool_as_they_are_here_for() -> None:
    way: dict[str, Any] = {name: READERS[name].make().__dict__.get("way") for name in ("bert", "gpt2")}
    assert way == {"bert": "network", "gpt2": "last"}
    assert [name for name, reader in READERS.items() if reader.make().padding == "exact"] == ["wav2vec2"]


@each_reader
@settings(max_examples=12, deadline=None)
@given(data=st.data(), more=st.integers(0, 4), training=st.booleans())
def test_what_is_not_there_changes_no_bit_and_no_gradient(
    name: str, data: st.DataObject, more: int, training: bool
) -> None:
    reader = READERS[name]
    rows, garbage = data.draw(reader.rows()), data.draw(st.sampled_from(GARBAGE[reader.real.dtype]))
    backbone = reader.make().train(training)
    clean, dirty = (trained(backbone, reader.values(rows, more, under)) for under in (0, garbage))
    backbone.eval()
    assert all(torch.equal(expected, got) for expected, got in zip(clean, dirty, strict=True))
    assert all(each.isfinite().all() for each in dirty)


def trained(backbone: Backbone, values: Values) -> list[Tensor]:
    """Features, and gradients of all that is real in them."""
    torch.manual_seed(0)  # of dropout
    backbone.zero_grad()
    features = run_tower(backbone, backbone, values)
    objective = features.pooled.square().sum() + real(features).square().sum()
    if objective.requires_grad:
        torch.autograd.backward(objective)
    gradients = [each.grad for each in backbone.parameters() if each.grad is not None]
    return [features.pooled.detach(), real(features).detach(), *gradients]


def real(features: Features, row: int | None = None) -> Tensor:
    """The real tokens, of all rows or of one."""
    chosen = slice(None) if row is None else slice(row, row + 1)
    tokens = features.tokens[chosen]
    return tokens.flatten(0, 1) if features.mask is None else tokens[features.mask[chosen]]


@each_reader
@settings(max_examples=12, deadline=None)
@given(data=st.data(), more=st.integers(0, 4))
@torch.no_grad()
def test_a_row_is_what_it_is_alone_and_an_absent_one_is_nothing(name: str, data: st.DataObject, more: int) -> None:
    reader = READERS[name]
    rows, backbone, runs = data.draw(reader.rows()), reader.make(), []

    def run(values: Values) -> Features:
        runs.append(tuple(values.data.shape[:2]) if isinstance(values.data, Tensor) else ())
        made: Features = backbone(values)
        return made

    together = run_tower(backbone, run, reader.values(rows, more, 0))
    assert together.present.tolist() == [row is not None for row in rows]
    for place, length in enumerate(rows):
        if length is None:
            assert not together.pooled[place].any() and not together.tokens[place].any()
            continue
        alone = backbone(Values(reader.real[place : place + 1, :length], torch.tensor([length])))
        close(together.pooled[place], alone.pooled[0])
        close(real(together, place), real(alone))
    if backbone.padding == "exact":
        lengths = [row for row in rows if row is not None]
        assert sorted(runs) == sorted({(lengths.count(each), each) for each in lengths})


def close(one: Tensor, other: Tensor) -> None:
    assert one.shape == other.shape
    assert (one - other).abs().max() <= 1e-5 * other.abs().max().clamp(min=1)


@st.composite
def lacking(draw: st.DrawFn) -> tuple[dict[str, Rows], list[bool]]:
    """How long each text and sequence is, and which rows have numbers, of as many rows."""
    numbers = draw(st.lists(st.booleans(), min_size=1, max_size=ROWS))
    return {name: draw(READERS[name].rows(len(numbers))) for name in ("gpt2", "gru")}, numbers


def features_of(lengths: Mapping[str, Rows], numbers: list[bool], more: int, garbage: bool) -> dict[str, Features]:
    """What the backbones of three inputs give."""
    made = {}
    for name, rows in lengths.items():
        reader = READERS[name]
        under = GARBAGE[reader.real.dtype][0] if garbage else 0
        made[name] = run_tower(reader.make(), reader.make(), reader.values(rows, more, under))
    there = torch.tensor(numbers)
    data = drawn(ROWS, 5)[: len(numbers)].masked_fill(~there[:, None], 1e30 if garbage else 0)
    return {**made, "numbers": run_tower(NUMBERS, NUMBERS, Values(data, None, there))}


@each_fusion
@settings(max_examples=12, deadline=None)
@given(inputs=lacking(), more=st.integers(0, 4))
@torch.no_grad()
def test_a_fusion_reads_what_is_there_alone(name: str, inputs: tuple[dict[str, Rows], list[bool]], more: int) -> None:
    fusion, (lengths, numbers) = fused(name), inputs
    clean, dirty = (fusion(features_of(lengths, numbers, more, garbage)) for garbage in (False, True))
    assert torch.equal(clean.pooled, dirty.pooled)
    assert torch.equal(clean.tokens, dirty.tokens)
    assert dirty.pooled.isfinite().all() and dirty.tokens.isfinite().all()
    tight = features_of(lengths, numbers, 0, False)
    for row, has_numbers in enumerate(numbers):
        has = has_numbers or any(each[row] is not None for each in lengths.values())
        assert clean.present[row] == has
        alone = fusion({each: features.rows(torch.tensor([row])) for each, features in tight.items()})
        close(clean.pooled[row], alone.pooled[0])
        if has:
            close(real(clean, row), real(alone))
