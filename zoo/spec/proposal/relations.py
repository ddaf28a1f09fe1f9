"""How columns hang together: those that give a label away, and those that tell whose a row is."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from zoo.spec.guess import Guess, guess
from zoo.spec.names import GROUPS, IDENTIFIERS, is_called, words_of

ROWS = 30
"""Fewest rows from which a relation is no chance."""

NEARLY = 0.98
"""Share of the rows in which a column tells a label, from which it gives it away."""


def gives_away(cells: Sequence[Any], target: Sequence[Any]) -> str:
    """How a column gives a target away; "" if it does not.

    Told by rows that have their value in common with others: the others' most common label is theirs in nearly all.
    """
    pairs = [(value, label) for value, label in zip(cells, target, strict=False) if value is not None is not label]
    if len(pairs) < ROWS or not all(isinstance(each, Hashable) for pair in pairs for each in pair):
        return ""
    if all(isinstance(each, (int, float)) for pair in pairs for each in pair) and _is_copy(pairs):
        return "it is the target, but for scale"
    if _is_range(pairs):
        return "it follows from the target: each of its values is a range of it"
    if len({label for _, label in pairs}) > len(pairs) / 2:
        return ""
    if (right := _told(pairs)) > NEARLY:
        return f"it gives the label away: rows with the same value have the same label ({_percent(right)} of them)"
    turned = [(label, value) for value, label in pairs]
    if len({value for value, _ in pairs}) <= len(pairs) / 10 and (right := _told(turned)) > NEARLY:
        return f"it follows from the label ({_percent(right)} of the rows): it was probably made from it"
    return ""


def _told(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Share of the rows whose second value the others with the same first value tell; 0 where too few have others."""
    by_value: dict[Any, Counter[Any]] = defaultdict(Counter)
    for value, label in pairs:
        by_value[value][label] += 1
    rows = right = 0
    for labels in by_value.values():
        if (total := labels.total()) > 1:
            rows += total
            right += most if (most := max(labels.values())) > 1 else 0
    common = max(Counter(label for _, label in pairs).values()) / len(pairs)
    if rows < len(pairs) / 2 or 1 - right / rows > (1 - common) / 5 or common == 1:
        return 0.0
    return right / rows


def _is_copy(pairs: Sequence[tuple[float, float]]) -> bool:
    """Whether numbers lie on a line."""
    from statistics import StatisticsError, correlation

    try:
        return abs(correlation(*zip(*pairs, strict=True))) > 0.9999
    except (StatisticsError, OverflowError, ValueError):  # all the same, or infinite
        return False


def _is_range(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Whether the first values are names of ranges of the second, which are numbers of many different values."""
    if not all(isinstance(label, (int, float)) for _, label in pairs) or len({label for _, label in pairs}) <= 20:
        return False
    counts = Counter(value for value, _ in pairs)
    ordered = [value for value, _ in sorted(pairs, key=lambda pair: pair[1])]
    runs = 1 + sum(before != after for before, after in pairwise(ordered))
    return 2 <= len(counts) == runs and min(counts.values()) >= 5


def _percent(share: float) -> str:
    return "all" if share == 1 else f"{100 * share:.1f} %"


def groups(columns: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Columns that by name and repetition tell whose rows are, each with how many there are, fewest first."""
    found = {}
    for name, cells in columns.items():
        known = [cell for cell in cells if cell is not None]
        words = words_of(name)
        named = is_called(name, GROUPS) and (words[-1:] != [] and words[-1] in GROUPS | IDENTIFIERS | {"name", "no"})
        if not named or not all(isinstance(cell, (str, int)) and not isinstance(cell, bool) for cell in known):
            continue
        different = len(set(known))
        files = guess(name, known).kind in (Guess.IMAGE, Guess.AUDIO)
        if different >= 2 and len(known) >= 1.5 * different and not files and not _is_prose(known):
            found[name] = different
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _is_prose(cells: Sequence[Any]) -> bool:
    texts = [cell for cell in cells if isinstance(cell, str)]
    return bool(texts) and sum(len(cell.split()) for cell in texts) > 3 * len(texts)
