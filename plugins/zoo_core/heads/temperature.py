"""Temperature scaling (Guo et al. 2017): one number divides all logits, so that probabilities mean what they say.

It is the one with the lowest log loss on rows that training did not learn from. Dividing by it changes no order, so the
label that wins stays the same.
"""

from collections.abc import Callable

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

Slopes = Callable[[float], tuple[float, float]]
"""From one over the temperature to the first and second derivative of the log loss by it."""


def temperature_of_choice(logits: Float[Tensor, "rows classes"], true: Int[Tensor, "rows"]) -> float:
    """The temperature of a softmax.

    Args:
        logits: Of rows with one class each.
        true: The numbers of their classes.

    Raises:
        ValueError: The rows do not tell it; the message says why.
    """
    logits = logits.double()
    chosen = logits.gather(1, true[:, None]).squeeze(1)
    if bool((true == true[0]).all()):
        raise ValueError("all of them are of one class")
    if bool((chosen >= logits.amax(1)).all()):
        raise ValueError("the class of every one of them is recognised, so that nothing tells how sure is too sure")

    def slopes(inverse: float) -> tuple[float, float]:
        shares = (logits * inverse).softmax(1)
        means = (shares * logits).sum(1)
        variances = (shares * (logits - means[:, None]).square()).sum(1)
        return float((means - chosen).mean()), float(variances.mean())

    return 1 / _minimum(slopes)


def temperature_of_labels(logits: Float[Tensor, "rows classes"], true: Bool[Tensor, "rows classes"]) -> float:
    """The temperature of a sigmoid for each label.

    Args:
        logits: Of rows that have any number of labels.
        true: Which they have.

    Raises:
        ValueError: The rows do not tell it; the message says why.
    """
    logits = logits.double()
    if bool(true.all()) or not bool(true.any()):
        raise ValueError("all of them have the same labels")
    signed = logits.where(true, -logits)
    if bool((signed >= 0).all()):
        raise ValueError("every label of them is recognised, so that nothing tells how sure is too sure")

    def slopes(inverse: float) -> tuple[float, float]:
        wrong = F.sigmoid(-signed * inverse)
        return float(-(signed * wrong).mean()), float((signed.square() * wrong * (1 - wrong)).mean())

    return 1 / _minimum(slopes)


def _minimum(slopes: Slopes) -> float:
    """Where a convex function of a number above 0 is lowest: Newton's method, kept between two numbers around it."""
    if not slopes(0.0)[0] < 0:
        raise ValueError("the scores are no better than chance")
    low, high = 0.0, 1.0
    while slopes(high)[0] < 0:
        low, high = high, 2 * high
    point = (low + high) / 2
    for _ in range(100):
        first, second = slopes(point)
        low, high = (point, high) if first < 0 else (low, point)
        newton = point - first / second if second > 0 else low
        following = newton if low < newton < high else (low + high) / 2
        if abs(following - point) <= 1e-12 * point:
            break
        point = following
    return point
