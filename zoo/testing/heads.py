"""What holds for heads."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from zoo.contract import Metric, MetricRows
from zoo.testing import modules
from zoo.testing.case import refusal
from zoo.testing.compare import CLOSE, differences, rows_of
from zoo.testing.head_trial import HeadTrial

PLAIN = (bool, int, float, str, type(None))


def loss_is_one_finite_number(trial: HeadTrial) -> Iterator[str]:
    """The loss of labelled rows is a number, in training and in eval."""
    yield from no_loss(trial, trial.targets)


def no_loss(trial: HeadTrial, targets: Any) -> Iterator[str]:
    """How the loss of some targets is no number."""
    head = trial.build()
    for mode in (True, False):
        loss = trial.loss(head.train(mode), targets)
        if loss.ndim:
            yield f"the loss has the shape {list(loss.shape)}; expected one number"
        elif not bool(loss.isfinite()):
            yield f"the loss is {float(loss.detach())}"


def predictions_are_plain(trial: HeadTrial) -> Iterator[str]:
    """Without labels there is one prediction for each row, of plain Python."""
    head = trial.build().eval()
    with torch.no_grad():
        told = head.decode(head(trial.unlabelled))
    if len(told) != len(trial.unlabelled.batch):
        yield f"`decode` gives {len(told)} predictions for {len(trial.unlabelled.batch)} rows"
    for kind in dict.fromkeys(kind for each in told for kind in _strange(each)):
        yield f"`decode` gives a {kind}, which is no plain Python"


def predictions_are_of_their_type(trial: HeadTrial) -> Iterator[str]:
    """What `decode` gives is what `prediction_type` says, so that it can be written as columns of a table."""
    head = trial.build().eval()
    kind = head.prediction_type()
    if kind is None:
        return
    with torch.no_grad():
        told = head.decode(head(trial.unlabelled))
    for each in told:
        if not of_type(each, kind):
            yield f"`decode` gives {each!r}, which is not of its `prediction_type`, {kind!r}"
            return


def of_type(value: Any, kind: Any) -> bool:
    """Whether a prediction is of a type that a head told."""
    if isinstance(kind, tuple):
        return value in kind
    if isinstance(kind, list):
        return isinstance(value, list) and all(of_type(each, kind[0]) for each in value)
    if isinstance(kind, Mapping):
        same = isinstance(value, dict) and value.keys() == kind.keys()
        return same and all(of_type(value[name], each) for name, each in kind.items())
    return value is None or type(value) is kind or (kind is float and type(value) is int)


def wrong_labels_are_refused(trial: HeadTrial) -> Iterator[str]:
    """What is no label is refused with a ValueError, to which zoo adds file, row and column."""
    if trial.columns:
        wrong = object() if len(trial.columns) == 1 else dict.fromkeys(trial.columns, object())
        yield from refusal(trial.build().label, wrong, "`label`")


def metrics_are_numbers(trial: HeadTrial) -> Iterator[str]:
    """A head with labels has metrics; each gives a number for all rows, for rows drawn again, and for their weights."""
    head = trial.build().eval()
    if trial.columns and not head.metrics:
        yield "it has no metrics"
    if not head.metrics:
        return
    with torch.no_grad():
        outputs = trial.outputs(head)
        rows = head.rows(outputs, trial.targets)
        known = {"rows": rows, "all_rows": head.all_rows(outputs, trial.targets)}
    for method, each in known.items():
        for name, entries in each.items():
            if len(entries) != len(trial.batch):
                yield f"`{method}` has {len(entries)} entries of `{name}` for {len(trial.batch)} rows"
                return
    yield from _metric_problems(head.metrics, rows)
    further = {name: metric for name, metric in head.all_metrics().items() if name not in head.metrics}
    of_classes = {f"{name}: {key}": each for name, part in head.class_metrics().items() for key, each in part.items()}
    yield from _metric_problems(further, known["all_rows"], empty=True)
    yield from _metric_problems(of_classes, known["all_rows"], empty=True)


def _metric_problems(metrics: Mapping[str, Metric], rows: MetricRows, empty: bool = False) -> Iterator[str]:
    """What is wrong with metrics of some rows.

    Args:
        metrics: The metrics.
        rows: The rows.
        empty: Whether they may have no number.
    """
    count = len(next(iter(rows.values())))
    for name, metric in metrics.items():
        for index in (list(range(count)), [0] * count):
            value = metric.compute({key: _chosen(each, index) for key, each in rows.items()})
            if not isinstance(value, float) or (index[-1] and not isfinite(value) and not empty):
                yield f"the metric `{name}` is {value!r}; expected a float"
            yield from _weight_problems(name, metric, rows, index, value)
        if not metric.doc:
            yield f"the metric `{name}` has no `doc`"


def rows_do_not_depend_on_each_other(trial: HeadTrial) -> Iterator[str]:
    """Without labels, a row alone has the outputs that it has among others, but for rounding."""
    head = trial.build().eval()
    with torch.no_grad():
        together = head(trial.unlabelled)
        for row in range(len(trial.unlabelled.batch)):
            alone = head(trial.unlabelled.rows(torch.tensor([row])))
            for difference in differences(rows_of(together, row), rows_of(alone, 0), CLOSE):
                yield f"alone, row {row} has other outputs than among others: {difference}"


LAWS = (
    *modules.LAWS,
    loss_is_one_finite_number,
    predictions_are_plain,
    predictions_are_of_their_type,
    wrong_labels_are_refused,
    metrics_are_numbers,
    rows_do_not_depend_on_each_other,
)


def _strange(value: Any) -> Iterator[str]:
    """Names of the types in a prediction that are no plain Python."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from (_strange(each) if isinstance(key, str) else [type(key).__name__])
    elif isinstance(value, list):
        for each in value:
            yield from _strange(each)
    elif type(value) not in PLAIN:
        yield type(value).__name__


def _weight_problems(name: str, metric: Metric, rows: MetricRows, index: Sequence[int], value: float) -> Iterator[str]:
    """How a metric of weights is not that of rows that come so often."""
    bound = metric.weighted(rows) if metric.weighted is not None else None
    if bound is None:
        return
    weights = torch.tensor(index).bincount(minlength=len(index)).double()[:, None]
    told = bound(weights)
    if told.shape != (1,) or not torch.allclose(told.double(), torch.tensor([value]).double(), equal_nan=True):
        yield f"the metric `{name}` is {told.tolist()} by the weights of rows that give {value!r}"


def _chosen(values: Any, index: Sequence[int]) -> Any:
    return values[list(index)] if isinstance(values, Tensor) else [values[row] for row in index]
