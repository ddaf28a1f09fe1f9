"""Policies: which tensors training moves."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

from zoo.component import Kind


@dataclass(frozen=True, kw_only=True)
class PolicyContext:
    """What a policy is built from, beside its options.

    Args:
        name: Where it stands in the spec: `transfer`, or `inputs.photo.transfer`.
    """

    name: str


@dataclass(frozen=True, kw_only=True)
class Trainable:
    """One part of a model, as a policy sees it.

    Args:
        name: Where its tensors stand in the model: `backbones.photo`.
        kind: What it is.
        groups: Names of its parameters within the part, in groups from the input to the output.
        pretrained: Whether it starts from weights, and not at random.
        chosen: Whether the policy was written for this part alone.
        new: Names of its parameters that its weights lacked. They are trained whatever the policy says, because they
            start at random; only `freeze` holds them. Empty where the whole part starts at random.
    """

    name: str
    kind: Kind
    groups: tuple[tuple[str, ...], ...]
    pretrained: bool
    chosen: bool
    new: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """All its parameters."""
        return tuple(name for group in self.groups for name in group)


class Policy(ABC):
    """Decides for each part of a model what is trained."""

    @abstractmethod
    def trainable(self, part: Trainable) -> Collection[str]:
        """Names, within the part, of the parameters that training moves; those of `new` are moved beside them."""
