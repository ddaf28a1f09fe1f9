"""What holds for policies."""

from collections.abc import Iterator
from itertools import product

from zoo.component import Kind
from zoo.contract import Policy, PolicyContext, Trainable
from zoo.data.inputs import factory
from zoo.testing.case import Case

GROUPS = (("stem.weight", "stem.bias"), (), ("layers.0.weight",), ("layers.1.weight", "norm.weight"))
"""Names of parameters by depth; the second group is one of buffers alone."""


class PolicyTrial:
    """A policy."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def build(self) -> Policy:
        """The policy."""
        made: Policy = factory(self.case.part, "transfer")(PolicyContext(name="transfer"))
        return made


def parts() -> Iterator[Trainable]:
    """Parts of all kinds, with and without groups, weights and a policy of their own."""
    for kind, pretrained, chosen in product((Kind.BACKBONE, Kind.FUSION, Kind.HEAD), (True, False), (True, False)):
        for groups in (GROUPS, GROUPS[:1], ()):
            yield Trainable(name=f"{kind}s.tried", kind=kind, groups=groups, pretrained=pretrained, chosen=chosen)


def names_are_those_of_the_part(trial: PolicyTrial) -> Iterator[str]:
    """What it trains of a part are names of that part's parameters."""
    made = trial.build()
    for part in parts():
        for name in sorted(set(made.trainable(part)) - set(part.names)):
            yield f"of a {part.kind} it trains `{name}`, which is none of its parameters"
            return


def decisions_do_not_change(trial: PolicyTrial) -> Iterator[str]:
    """Asked again, and of other parts before, it decides the same."""
    made, other = trial.build(), trial.build()
    first = [set(made.trainable(part)) for part in parts()]
    again = [set(other.trainable(part)) for part in reversed(list(parts()))][::-1]
    if first != again or first != [set(made.trainable(part)) for part in parts()]:
        yield "it decides differently when asked again, or in another order"


LAWS = (names_are_those_of_the_part, decisions_do_not_change)
