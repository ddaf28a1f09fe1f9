"""The last layers are trained."""

from collections.abc import Collection
from itertools import chain

from zoo.contract import Policy, PolicyContext, Trainable
from zoo_core.declarations.policies import Last
from zoo_core.policies.settled import is_settled


def build(options: Last, context: PolicyContext) -> "LastGroups":
    """The policy."""
    return LastGroups(options.groups)


class LastGroups(Policy):
    """Fusion, heads and the layer groups of settled backbones next to their output are trained.

    The first layers carry over best from one task to another (Yosinski et al. 2014). Groups are those of Howard and
    Ruder 2018, who free one more in every epoch; ours stay the same.

    Args:
        groups: How many groups of each backbone; more than it has are all of it.
    """

    def __init__(self, groups: int) -> None:
        self.groups = groups

    def trainable(self, part: Trainable) -> Collection[str]:
        """The last groups of a settled backbone, not counting those without parameters; all of every other part."""
        groups = [group for group in part.groups if group]
        return tuple(chain(*groups[-self.groups :])) if is_settled(part) else part.names
