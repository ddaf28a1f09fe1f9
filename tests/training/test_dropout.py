"""Modality dropout: never all that a sample has, at the rate that is asked for, and what is absent stays absent."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zoo.features import Batch, Values
from zoo.training.dropout import drop_inputs

presences = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=4)


def batch(present: list[list[bool]], seed: int = 0) -> Batch:
    """Inputs by number, each there in some rows; where it is in all, `present` is left out."""
    values = {}
    for number, rows in enumerate(present):
        values[str(number)] = Values(torch.zeros(len(rows), 2), present=None if all(rows) else torch.tensor(rows))
    return Batch(values, ids=(7, 8, 9, 10), seeds=tuple(seed + row for row in range(4)))


def there(dropped: Batch) -> Tensor:
    """(inputs, batch)"""
    shown = [each.present for each in dropped.inputs.values()]
    return torch.stack([torch.ones(len(dropped), dtype=torch.bool) if each is None else each for each in shown])


@settings(deadline=None)
@given(presences, st.floats(0, 0.99), st.integers(0, 2**31))
def test_a_sample_keeps_something_and_gains_nothing(present: list[list[bool]], probability: float, seed: int) -> None:
    before = torch.tensor(present)
    after = there(drop_inputs(batch(present, seed), probability))
    assert torch.equal(after.any(0), before.any(0))
    assert not (after & ~before).any()


@settings(deadline=None)
@given(presences, st.integers(0, 2**31))
def test_the_same_seed_drops_the_same(present: list[list[bool]], seed: int) -> None:
    first, second = (there(drop_inputs(batch(present, seed), 0.5)) for _ in range(2))
    assert torch.equal(first, second)


@settings(deadline=None)
@given(presences, st.integers(0, 2**31), st.permutations(range(4)))
def test_what_a_sample_loses_does_not_depend_on_the_batch(
    present: list[list[bool]], seed: int, order: list[int]
) -> None:
    whole = batch(present, seed)
    index = torch.tensor(order[:2])
    assert torch.equal(there(drop_inputs(whole, 0.5))[:, index], there(drop_inputs(whole.rows(index), 0.5)))


def test_inputs_are_dropped_at_about_the_rate() -> None:
    rows = 20_000
    many = Batch({name: Values(torch.zeros(rows, 1)) for name in "abc"}, seeds=tuple(range(rows)))
    shown = there(drop_inputs(many, 0.3))
    # Those that would lose all three are drawn anew: of the rest, 0.3 (1 - 0.3^2) / (1 - 0.3^3) lack each.
    expected = 0.3 * (1 - 0.3**2) / (1 - 0.3**3)
    assert ((~shown).float().mean(1) - expected).abs().max() < 0.012
    pairs = (~shown[0] & ~shown[1]).float().mean()
    assert abs(float(pairs) - 0.3**2 * 0.7 / (1 - 0.3**3)) < 0.01


def test_with_probability_0_and_with_one_input_nothing_changes() -> None:
    two, one = batch([[True] * 4, [True, False, True, True]]), batch([[True, False, True, True]])
    assert drop_inputs(two, 0) is two
    assert drop_inputs(one, 0.9) is one


def test_a_sample_that_has_one_input_keeps_it() -> None:
    present = [[True, False, False, True], [False, True, False, True]]
    for seed in range(20):
        after = there(drop_inputs(batch(present, seed), 0.9))
        assert after[:, :3].tolist() == [row[:3] for row in present]


def test_everything_else_of_the_batch_stays() -> None:
    before = batch([[True] * 4, [True] * 4])
    after = drop_inputs(before, 0.5)
    assert after.ids == before.ids
    assert all(after.inputs[name].data is before.inputs[name].data for name in before.inputs)
