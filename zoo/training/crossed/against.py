"""Two specs on the same folds: which is better, and whether that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from zoo.checkpoint.lock import fingerprint
from zoo.data.columns import part_columns
from zoo.data.rows import Selection
from zoo.errors import UsageError, listed
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.resampled import ResampledTest, resampled_test
from zoo.spec.sections import Spec
from zoo.training.crossed.outcome import Outcome
from zoo.training.crossed.pooled import Pooled, value_of

SHOWN = 0.05
"""Largest p that shows a difference."""


@dataclass(frozen=True)
class Against:
    """What another spec gains over the first.

    Args:
        name: What the other is called.
        head: Of which head.
        metric: Its first metric.
        share: Whether that is a share of rows, told in points.
        ours: It of the first spec, of all rows together.
        theirs: It of the other.
        folds: The gain over the folds; positive where the other is better.
        gain: The same, of all rows together, paired row by row: without what another training would change.
    """

    name: str
    head: str
    metric: str
    share: bool
    ours: Estimate
    theirs: Estimate
    folds: ResampledTest
    gain: Estimate

    @property
    def text(self) -> str:
        """The verdict: by the test over folds alone."""
        factor, digits = (100, 1) if self.share else (1, 3)
        unit = f"points of {self.metric}" if self.share else f"of {self.metric}"
        test = self.folds
        if test.p is None or test.low is None or test.high is None:
            return f"no difference is shown in {self.metric}: {test.reason}"
        ends = f"[{factor * test.low:+.{digits}f}, {factor * test.high:+.{digits}f}], p = {_told(test.p)}"
        if test.p > SHOWN:
            return f"no difference is shown: {self.name} gains {factor * test.value:+.{digits}f} {unit} {ends}"
        better = "better" if test.value > 0 else "worse"
        ends = (
            ends
            if test.value > 0
            else (f"[{-factor * test.high:+.{digits}f}, {-factor * test.low:+.{digits}f}], p = {_told(test.p)}")
        )
        return f"{self.name} is {better} by {factor * abs(test.value):.{digits}f} {unit} {ends}"

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "head": self.head,
            "metric": self.metric,
            "share": self.share,
            "ours": self.ours.as_dict(),
            "theirs": self.theirs.as_dict(),
            "folds": self.folds.as_dict(),
            "gain": self.gain.as_dict(),
            "text": self.text,
        }


def check_comparable(spec: Spec, other: Spec, ours: Sequence[Selection], theirs: Sequence[Selection]) -> None:
    """Refuses two specs that do not predict the same of the same rows.

    Raises:
        UsageError: Their first heads differ, or their rows.
    """
    head = next(iter(spec.heads))
    if head not in other.heads:
        raise UsageError(
            f"`{other.name}` has no head `{head}`, which is what `{spec.name}` is measured by; name one so"
        )
    mine, its = spec.heads[head], other.heads[head]
    if (mine.use, part_columns(mine)) != (its.use, part_columns(its)):
        told = [f"{each.use} of {', '.join(f'`{name}`' for name in part_columns(each))}" for each in (mine, its)]
        raise UsageError(f"the heads `{head}` of `{spec.name}` and `{other.name}` differ: {told[0]}, {told[1]}")
    if _rows(spec, ours) == _rows(other, theirs):
        return
    counts = [sum(len(each.numbers) for each in rows) for rows in (ours, theirs)]
    numbers = f"{counts[0]:,} rows of `{spec.name}`, {counts[1]:,} of `{other.name}`"
    raise UsageError(f"the two specs do not learn from the same rows, so that folds cannot be paired: {numbers}")


def compare(head: str, name: str, pooled: Pooled, ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> Against:
    """Compares the outcomes of two specs, fold for fold.

    Args:
        head: The head that is looked at.
        name: What the other spec is called.
        pooled: Measures rows.
        ours: Of the first spec.
        theirs: Of the other, of the same folds in the same order.
    """
    metric_name, metric = next(iter(pooled.heads[head].metrics.items()))
    sign = 1.0 if metric.higher else -1.0
    pairs = list(zip(ours, theirs, strict=True))
    differences = [
        sign * (value_of(metric, other.whole.get(head)) - value_of(metric, mine.whole.get(head)))
        for mine, other in pairs
    ]
    held = sum(len(each.predictions) for each in ours)
    mine, other = pooled.rows(head, ours), pooled.rows(head, theirs)
    assert mine is not None and other is not None and torch.equal(mine.numbers, other.numbers)
    return Against(
        name,
        head,
        metric_name,
        metric.share is not None,
        pooled.metric(head, mine),
        pooled.metric(head, other),
        resampled_test(differences, held, sum(each.rows for each in ours)),
        pooled.gain(metric, mine, other),
    )


def check_alike(head: str, ours: Outcome, theirs: Outcome) -> None:
    """Refuses heads whose predictions have other columns, because their classes differ.

    Raises:
        UsageError: They have.
    """
    mine, its = ([name for name in each.predictions.schema.names if _is_of(head, name)] for each in (ours, theirs))
    if mine != its:
        raise UsageError(f"the heads `{head}` do not predict the same: {listed(mine)}, and {listed(its)}")


def _is_of(head: str, column: str) -> bool:
    return column == head or column.startswith(f"{head}.")


def _rows(spec: Spec, selections: Sequence[Selection]) -> tuple[list[Any], list[list[int]]]:
    """Which rows of which tables, whatever the tables are called."""
    tables = [fingerprint(each.path, spec.folder, spec.tables) for each in spec.data.train]
    return tables, [each.numbers.tolist() for each in selections]


def _told(p: float) -> str:
    return f"{p:.2f}" if p >= 0.01 else f"{p:.1g}"
