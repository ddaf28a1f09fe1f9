"""What each modality contributes to a score, from the score of every set of them (Shapley 1953)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import comb

Subset = tuple[str, ...]


def shapley_weights(names: Sequence[str], player: str) -> dict[Subset, float]:
    """By how much the score of each set counts in a player's value: their weighted sum is the value.

    The value is the mean, over all orders in which the players can come, of what the score gains when this one comes. A
    set without the player counts negatively, the same set with it positively. They add up to 0.

    Args:
        names: All players; sets are told in this order.
        player: One of them.
    """
    weights: dict[Subset, float] = {}
    for others in _subsets([name for name in names if name != player]):
        weight = 1 / (len(names) * comb(len(names) - 1, len(others)))
        weights[others] = -weight
        weights[tuple(name for name in names if name in others or name == player)] = weight
    return weights


def shapley(names: Sequence[str], scores: Mapping[Subset, float]) -> dict[str, float]:
    """The value of each player.

    Args:
        names: The players.
        scores: By set, in the order of `names`, the empty one too, its score.
    """
    return {
        player: sum(weight * scores[subset] for subset, weight in shapley_weights(names, player).items())
        for player in names
    }


def _subsets(names: Iterable[str]) -> Iterator[Subset]:
    known = list(names)
    for size in range(len(known) + 1):
        yield from combinations(known, size)
