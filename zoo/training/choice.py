"""Which epoch is the best, and when to stop looking for a better one."""

from dataclasses import dataclass
from math import isnan

from zoo.errors import UsageError, listed, nearest
from zoo.evaluation.measure import Measured
from zoo.model.model import ZooModel


@dataclass
class Choice:
    """What chooses among epochs, on the validation rows alone.

    Args:
        select: `loss`, or a head's metric: `mood.accuracy`.
        higher: Whether more of it is better.
        patience: Epochs without a better one after which training stops; None never stops.
        best: The best value so far; None before the first epoch.
        waited: Epochs since.
    """

    select: str
    higher: bool
    patience: int | None
    best: float | None = None
    waited: int = 0

    def better(self, measured: Measured) -> bool:
        """Whether an epoch is better than all before it, which is then kept in mind. NaN is worse than any number."""
        value = self._value(measured)
        best = self.best
        if best is None or (isnan(best) and not isnan(value)) or self._beats(value, best):
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False

    def _beats(self, value: float, best: float) -> bool:
        return value > best if self.higher else value < best

    @property
    def over(self) -> bool:
        """Whether it has been waited long enough."""
        return self.patience is not None and self.waited >= self.patience

    def _value(self, measured: Measured) -> float:
        if self.select == "loss":
            return measured.loss
        head, _, metric = self.select.partition(".")
        found = measured.metrics().get(head, {}).get(metric)
        return float("nan") if found is None else found.value


def make_choice(model: ZooModel) -> Choice:
    """What the spec's `train.select` and `train.patience` mean for a model.

    Raises:
        UsageError: The head has no such metric.
    """
    train = model.spec.train
    if train.select == "loss":
        return Choice("loss", False, train.patience)
    head, _, metric = train.select.partition(".")
    metrics = model.head(head).metrics
    if metric not in metrics:
        raise UsageError(
            f"`train.select`: the head `{head}` has no metric `{metric}`; {_advice(metric, list(metrics))}"
        )
    return Choice(train.select, metrics[metric].higher, train.patience)


def _advice(name: str, known: list[str]) -> str:
    guess = nearest(name, known)
    return f"did you mean `{guess}`?" if guess else f"there are {listed(known)}"
