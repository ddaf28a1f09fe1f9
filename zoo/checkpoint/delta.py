"""Weights as what differs from the pretrained ones: whole tensors, so that nothing is computed and all is exact.

A tensor that is bitwise one of the base is left out; where it stands there is told by a rule for each part (its names
begin otherwise), and by name where the rule does not hold. Tensors are compared by digest, buffers too: norm statistics
that moved in training differ.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.checkpoint.raw import Raw
from zoo.errors import CorruptError

DELTA = "delta.safetensors"

MOST_RULES = 100
"""Rules of a delta, at most: there is one for each part with a base."""

SMALL = 256
"""Bytes of a tensor below which its name in the base is not told: it is stored instead."""

Tensors = Mapping[str, Raw]


@dataclass(frozen=True)
class Rule:
    """Where the tensors of a part stand in its base.

    Args:
        base: Name of the base.
        ours: What the names of the run begin with.
        theirs: What those of the base begin with instead.
        renamed: Names of the base where this does not hold, by ours.
    """

    base: str
    ours: str
    theirs: str
    renamed: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> str | None:
        """What a tensor of the run may be called in the base."""
        if name in self.renamed:
            return self.renamed[name]
        rest = _behind(name, self.ours)
        return None if rest is None else f"{self.theirs}.{rest}" if self.theirs else rest

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {"base": self.base, "ours": self.ours, "theirs": self.theirs, "renamed": dict(self.renamed)}


def rule_of(base: str, mine: Mapping[str, str], theirs: Mapping[str, str], sizes: Mapping[str, int]) -> Rule | None:
    """Where the tensors of a part stand in a base; None where none does.

    Args:
        base: Name of the base.
        mine: Digests of the part's tensors, by name.
        theirs: Digests of the base's.
        sizes: Bytes of the part's tensors.
    """
    alike: dict[str, list[str]] = {}
    for name, digest in theirs.items():
        alike.setdefault(digest, []).append(name)
    heads = Counter(
        _heads(name, other)
        for name, digest in mine.items()
        for other in alike.get(digest, ())
        if _share_an_end(name, other)
    )
    if not heads:
        return None
    # Of rules that hold equally often, the same one whatever the order of the tensors.
    ours, beginning = min(heads, key=lambda each: (-heads[each], each))
    rule = Rule(base, ours, beginning)
    renamed = {
        name: min(alike[digest])
        for name, digest in mine.items()
        if digest in alike and sizes[name] >= SMALL and theirs.get(rule.find(name) or "") != digest
    }
    return Rule(base, ours, beginning, renamed)


def place_of(name: str, rules: Iterable[Rule], bases: Mapping[str, Mapping[str, object]]) -> tuple[str, str] | None:
    """The base, and the name in it, that the rules tell of a tensor; None where they tell of none.

    Args:
        name: The tensor's name in the run.
        rules: In order; the first that leads to a tensor decides.
        bases: For each base, what it has by name.
    """
    for rule in rules:
        found = rule.find(name)
        if found is not None and found in bases.get(rule.base, {}):
            return rule.base, found
    return None


def own_names(digests: Mapping[str, str], rules: Iterable[Rule], bases: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The tensors that are not those of a base: what a delta holds.

    Args:
        digests: Of all tensors of the run.
        rules: Where tensors stand in bases.
        bases: For each base, the digests of its tensors.
    """
    places = {name: place_of(name, rules, bases) for name in digests}
    return [
        name
        for name, digest in digests.items()
        if (place := places[name]) is None or bases[place[0]][place[1]] != digest
    ]


def put_together(
    names: Iterable[str], own: Tensors, rules: Iterable[Rule], bases: Mapping[str, Tensors]
) -> Iterator[tuple[str, Raw]]:
    """All tensors of a run, from a delta and its bases. Their digests are to be compared with the lock's.

    Args:
        names: All that the run has.
        own: What the delta holds.
        rules: Where the others stand.
        bases: The tensors of each base.

    Raises:
        CorruptError: One is nowhere.
    """
    known = list(rules)
    for name in names:
        if name in own:
            yield name, own[name]
        elif (place := place_of(name, known, bases)) is not None:
            yield name, bases[place[0]][place[1]]
        else:
            raise CorruptError(f"`{name}` is neither in {DELTA} nor in a base that zoo.lock names")


def read_rules(told: Any) -> list[Rule]:
    """The rules that a lock tells.

    Raises:
        CorruptError: They are none.
    """
    texts = ("base", "ours", "theirs")
    good = (
        isinstance(told, list)
        and len(told) <= MOST_RULES
        and all(
            isinstance(each, dict)
            and each.keys() == {*texts, "renamed"}
            and all(isinstance(each[key], str) for key in texts)
            and isinstance(each["renamed"], dict)
            and all(isinstance(name, str) for name in each["renamed"].values())
            for each in told
        )
    )
    if not good:
        raise CorruptError("zoo.lock does not tell where the tensors of a delta stand in its base")
    return [Rule(**each) for each in told]


def _behind(name: str, head: str) -> str | None:
    """What stands behind the beginning of a name; None where it begins otherwise."""
    if not head:
        return name
    return name.removeprefix(f"{head}.") if name.startswith(f"{head}.") else None


def _share_an_end(one: str, other: str) -> bool:
    return one.rpartition(".")[2] == other.rpartition(".")[2]


def _heads(one: str, other: str) -> tuple[str, str]:
    """What two names begin with before their common end."""
    first, second = one.split("."), other.split(".")
    while first and second and first[-1] == second[-1]:
        del first[-1], second[-1]
    return ".".join(first), ".".join(second)
