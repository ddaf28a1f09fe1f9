"""Backbones stay as they start."""

from collections.abc import Collection

from zoo.contract import Policy, PolicyContext, Trainable
from zoo_core.policies.settled import is_settled


def build(options: None, context: PolicyContext) -> "Frozen":
    """The policy."""
    return Frozen()


class Frozen(Policy):
    """Fusion and heads are trained on what settled backbones give (linear probe, Alain and Bengio 2017)."""

    def trainable(self, part: Trainable) -> Collection[str]:
        """Nothing of a settled backbone, all of every other part."""
        return () if is_settled(part) else part.names
