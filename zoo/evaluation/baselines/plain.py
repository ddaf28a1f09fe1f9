"""Plain models of scikit-learn for the tasks of heads: numbers in, a head's outputs out."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from zoo.data.split import split
from zoo.evaluation.constant import SMALL, constant_outputs

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""What is tried as scikit-learn's C; a ridge has its inverse."""

NEIGHBOURS = 10
TREES = 100
MOST_CLASSES = 50
"""Most classes that gradient boosting learns: it grows trees for each of them."""

Matrix = Any
"""`(rows, columns)`: an array, or a sparse matrix of scipy."""

Targets = Tensor
Fit = Callable[[Matrix, Targets, Matrix], Tensor]
"""From training rows, their targets and other rows to what a head's outputs would be of those."""


def linear(task: str, width: int, groups: Sequence[Any] | None) -> Fit:
    """Logistic regression, of each label apart, or a ridge of each column.

    How strongly it is held back is chosen on a fifth of the training rows, in whole groups if they are grouped, and
    then learnt from all of them.

    Args:
        task: The head's `task`.
        width: Width of the head's outputs.
        groups: The group of each training row.
    """

    def fit(rows: Matrix, targets: Targets, others: Matrix) -> Tensor:
        strength = 1.0
        if len(targets) >= 10 and (groups is None or len(set(groups)) > 1):
            labels = targets.tolist() if task == "classes" else None
            aside = split(len(targets), 0.2, 0, labels, groups)
            here, there = np.flatnonzero(~aside), np.flatnonzero(aside)
            losses = {
                each: _loss(task, _linear(task, width, each, rows[here], targets[here], rows[there]), targets[there])
                for each in STRENGTHS
            }
            strength = min(losses, key=losses.__getitem__)
        return _linear(task, width, strength, rows, targets, others)

    return fit


def boosted(task: str, width: int) -> Fit:
    """Gradient boosting on histograms (Friedman 2001; scikit-learn's), of each label and each column apart."""

    def fit(rows: Matrix, targets: Targets, others: Matrix) -> Tensor:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingRegressor if task == "numbers" else HistGradientBoostingClassifier
        return _outputs(task, width, lambda: kind(max_iter=TREES, random_state=0), rows, targets, others)

    return fit


def nearest(task: str, width: int) -> Fit:
    """The mean of the ten nearest training rows."""

    def fit(rows: Matrix, targets: Targets, others: Matrix) -> Tensor:
        from sklearn.neighbors import KNeighborsRegressor

        if task == "classes":
            wanted = torch.nn.functional.one_hot(targets, width).double()
            kept = torch.ones(len(targets), dtype=torch.bool)
        else:
            wanted, kept = targets.double(), ~targets.isnan().any(1)
        model = KNeighborsRegressor(n_neighbors=min(NEIGHBOURS, int(kept.sum())))
        told = torch.as_tensor(model.fit(rows[kept.numpy()], wanted[kept].numpy()).predict(others))
        told = told.reshape(len(told), -1)
        if task == "classes":
            return told.clamp(min=SMALL).log()
        return torch.logit(told, eps=SMALL) if task == "labels" else told

    return fit


def _linear(task: str, width: int, strength: float, rows: Matrix, targets: Targets, others: Matrix) -> Tensor:
    from sklearn.linear_model import LogisticRegression, Ridge

    def make() -> Any:
        return Ridge(alpha=1 / strength) if task == "numbers" else LogisticRegression(C=strength, max_iter=200)

    return _outputs(task, width, make, rows, targets, others)


def _outputs(
    task: str, width: int, make: Callable[[], Any], rows: Matrix, targets: Targets, others: Matrix
) -> Float[Tensor, "others width"]:
    """What models made by `make`, one or one for each label or column, say of other rows."""
    told = constant_outputs(task, targets, width, others.shape[0]).double().clone()
    with _quiet():
        if task == "classes":
            if bool((targets != targets[0]).any()):
                model = make().fit(rows, targets.numpy())
                told[:] = np.log(SMALL)
                found = torch.as_tensor(model.predict_proba(others)).double().clamp(min=SMALL).log()
                told[:, torch.as_tensor(model.classes_)] = found
            return told
        for column in range(width):
            known = (~targets[:, column].isnan()).numpy()
            mine = targets[:, column].numpy()[known]
            if len(np.unique(mine)) > 1:
                model = make().fit(rows[np.flatnonzero(known)], mine)
                if task == "numbers":
                    told[:, column] = torch.as_tensor(model.predict(others)).double()
                else:
                    told[:, column] = torch.logit(
                        torch.as_tensor(model.predict_proba(others)[:, 1]).double(), eps=SMALL
                    )
    return told


def _loss(task: str, outputs: Tensor, targets: Targets) -> float:
    """What is lowest for the best: cross-entropy, or the squared error."""
    if task == "classes":
        return float(torch.nn.functional.cross_entropy(outputs, targets))
    if task == "labels":
        return float(torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets.double()))
    return float((outputs - targets).square().nanmean())


@contextmanager
def _quiet() -> Iterator[None]:
    """A solver that has not quite arrived is good enough for a baseline."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
