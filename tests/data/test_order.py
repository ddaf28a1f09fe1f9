from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.order import batch_count, batches, bucketed, drawn_rows, in_order, seeds_of, shuffled

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=3)
SEEDS = st.integers(0, 2**63 - 1)


@given(LENGTHS, SEEDS, st.integers(1, 50))
def test_an_epoch_draws_every_row_once(lengths: list[int], seed: int, epoch: int) -> None:
    draws = shuffled(lengths, [1.0] * len(lengths), seed, epoch)
    assert sorted(map(tuple, draws.tolist())) == list(map(tuple, in_order(lengths).tolist()))
    assert (draws == shuffled(lengths, [1.0] * len(lengths), seed, epoch)).all()


def test_every_epoch_and_seed_has_an_order_of_its_own() -> None:
    orders = [shuffled([50], [1.0], seed, epoch).tolist() for seed in (0, 1) for epoch in (1, 2)]
    assert len({str(order) for order in orders}) == 4


def test_tables_are_mixed() -> None:
    tables = shuffled([50, 50], [1.0, 1.0], 0, 1)[:, 0]
    assert 30 < sum(first != second for first, second in pairwise(tables)) < 70


@given(st.integers(1, 40), st.sampled_from([0.25, 0.5, 1.0, 2.0, 2.5]), SEEDS)
def test_rows_are_drawn_as_often_as_the_weight_says(length: int, weight: float, seed: int) -> None:
    epochs = 4
    each = [shuffled([length], [weight], seed, epoch)[:, 1].tolist() for epoch in range(1, epochs + 1)]
    assert all(len(draws) == drawn_rows(length, weight) for draws in each)
    counts = Counter(row for draws in each for row in draws)
    often = [counts[row] for row in range(length)]
    assert max(often) - min(often) <= 1


def test_with_half_the_weight_every_row_comes_once_in_two_epochs() -> None:
    one, two = (set(shuffled([40], [0.5], 7, epoch)[:, 1].tolist()) for epoch in (1, 2))
    assert len(one) == len(two) == 20
    assert not one & two


def test_the_order_does_not_depend_on_another_tables_weight() -> None:
    def drawn(weight: float) -> set[int]:
        draws = shuffled([40, 10], [0.5, weight], 0, 3)
        return set(draws[draws[:, 0] == 0, 1].tolist())

    assert drawn(1.0) == drawn(3.0)


@given(st.integers(1, 100), st.integers(1, 20))
def test_batches_leave_nothing_out_and_no_row_alone(rows: int, size: int) -> None:
    draws = in_order([rows])
    cut = list(batches(draws, size))
    assert (np.concatenate(cut) == draws).all()
    assert len(cut) == batch_count(rows, size)
    assert all(len(batch) == size for batch in cut[:-1])
    assert len(cut[-1]) <= size + 1
    if min(rows, size) > 1:
        assert len(cut[-1]) > 1


@given(st.integers(1, 400), st.integers(1, 9), SEEDS, st.integers(1, 3))
def test_buckets_leave_nothing_out_and_come_again(rows: int, size: int, seed: int, epoch: int) -> None:
    draws = shuffled([rows], [1.0], seed, epoch)
    lengths = np.random.default_rng(rows).integers(1, 100, rows)[draws[:, 1]]
    order = bucketed(draws, lengths, size, seed, epoch)
    assert sorted(map(tuple, order.tolist())) == sorted(map(tuple, draws.tolist()))
    assert (order == bucketed(draws, lengths, size, seed, epoch)).all()
    whole = rows // size * size
    assert (order[whole:] == draws[whole:]).all()


def test_rows_of_a_bucket_are_about_as_long_and_batches_are_mixed() -> None:
    draws = shuffled([3200], [1.0], 0, 1)
    lengths = np.random.default_rng(0).integers(1, 1000, 3200)
    order = bucketed(draws, lengths[draws[:, 1]], 32, 0, 1)
    cut = [lengths[batch[:, 1]] for batch in batches(order, 32)]
    assert np.mean([np.ptp(batch) for batch in cut]) < 40
    means = [batch.mean() for batch in cut]
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.3
    assert order.tolist() != bucketed(shuffled([3200], [1.0], 0, 2), lengths, 32, 0, 2).tolist()


@given(st.integers(0, 2**63 - 1), st.integers(0, 999), st.integers(0, 10**9), st.integers(0, 40))
def test_seeds_are_those_of_their_numbers_whatever_stands_beside_them(
    seed: int, epoch: int, first: int, count: int
) -> None:
    found = seeds_of((seed, epoch), first, count)
    assert found == [seeds_of((seed, epoch), first + number, 1)[0] for number in range(count)]
    assert len(set(found)) == count
    assert all(0 <= each < 2**56 for each in found)
    assert count == 0 or found != seeds_of((seed, epoch + 1), first, count)


def test_seeds_of_neighbours_share_no_bits_more_than_by_chance() -> None:
    found = np.array(seeds_of((0, 1), 0, 10_000))
    ones = np.unpackbits((found[1:] ^ found[:-1]).view(np.uint8)).sum() / (9_999 * 56)
    assert abs(ones - 0.5) < 0.01
