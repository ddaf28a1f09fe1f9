"""Which parts a policy can hold back."""

from zoo.component import Kind
from zoo.contract import Trainable


def is_settled(part: Trainable) -> bool:
    """Whether the part is a backbone that starts from weights, or one that the policy was written for.

    A backbone that starts at random would stay random if a policy for the whole model held it back.
    """
    return part.kind is Kind.BACKBONE and (part.pretrained or part.chosen)
