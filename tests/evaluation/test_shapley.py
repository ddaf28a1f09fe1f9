"""What the Shapley value is known by: efficiency, symmetry, the null player, additivity; and its definition."""

from collections.abc import Mapping
from itertools import combinations, permutations
from math import factorial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.evaluation.shapley import shapley, shapley_weights

Game = Mapping[tuple[str, ...], float]


def subsets(names: str) -> list[tuple[str, ...]]:
    return [each for size in range(len(names) + 1) for each in combinations(names, size)]


@st.composite
def games(draw: Any, players: int | None = None) -> tuple[str, Game]:
    names = "abcde"[: players or draw(st.integers(1, 5))]
    return names, {each: draw(st.floats(-10, 10)) for each in subsets(names)}


@given(games())
def test_the_values_add_up_to_what_all_players_gain(game: tuple[str, Game]) -> None:
    names, scores = game
    gained = scores[tuple(names)] - scores[()]
    assert sum(shapley(list(names), scores).values()) == pytest.approx(gained, abs=1e-9)


@given(games())
def test_the_value_is_the_mean_gain_over_all_orders(game: tuple[str, Game]) -> None:
    names, scores = game
    totals = dict.fromkeys(names, 0.0)
    for order in permutations(names):
        for place, player in enumerate(order):
            before = tuple(sorted(order[:place]))
            totals[player] += scores[tuple(sorted((*before, player)))] - scores[before]
    expected = {name: total / factorial(len(names)) for name, total in totals.items()}
    assert shapley(list(names), scores) == pytest.approx(expected, abs=1e-9)


@given(games(4))
def test_who_adds_nothing_to_any_set_is_worth_nothing(game: tuple[str, Game]) -> None:
    names, scores = game
    without = {each: scores[tuple(name for name in each if name != "b")] for each in scores}
    assert shapley(list(names), without)["b"] == pytest.approx(0, abs=1e-9)


@given(games(3))
def test_who_adds_the_same_to_every_set_is_worth_the_same(game: tuple[str, Game]) -> None:
    names, scores = game
    swapped = str.maketrans("ab", "ba")
    even = {
        each: (scores[each] + scores[tuple(sorted(name.translate(swapped) for name in each))]) / 2 for each in scores
    }
    values = shapley(list(names), even)
    assert values["a"] == pytest.approx(values["b"], abs=1e-9)


@given(games(3), games(3))
def test_the_value_of_a_sum_is_the_sum_of_the_values(first: tuple[str, Game], second: tuple[str, Game]) -> None:
    names = list(first[0])
    both = {each: first[1][each] + second[1][each] for each in first[1]}
    one, other = shapley(names, first[1]), shapley(names, second[1])
    assert shapley(names, both) == pytest.approx({name: one[name] + other[name] for name in names}, abs=1e-9)


def test_the_weights_of_a_player_are_paired() -> None:
    weights = shapley_weights(["photo", "text", "voice"], "text")
    assert sum(weights.values()) == pytest.approx(0)
    assert weights[("photo", "text")] == pytest.approx(1 / 6) == pytest.approx(-weights[("photo",)])
    assert weights[("photo", "text", "voice")] == pytest.approx(1 / 3)
