"""Everything is trained."""

from collections.abc import Collection

from zoo.contract import Policy, PolicyContext, Trainable


def build(options: None, context: PolicyContext) -> "Full":
    """The policy."""
    return Full()


class Full(Policy):
    """Every parameter of every part is trained (fine-tuning, Yosinski et al. 2014)."""

    def trainable(self, part: Trainable) -> Collection[str]:
        """All its parameters."""
        return part.names
