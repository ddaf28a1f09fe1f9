"""The rows that all folds held out, as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import isfinite
from statistics import fmean, stdev
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from zoo.contract import Head, Metric
from zoo.data.folds import FoldRows
from zoo.evaluation.bootstrap import Draws
from zoo.evaluation.estimate import Comparison, Estimate
from zoo.evaluation.evaluate import RESAMPLES
from zoo.evaluation.measure import HeadRows, head_metrics
from zoo.training.crossed.outcome import Outcome


@dataclass(frozen=True)
class OverFolds:
    """A metric, fold by fold.

    Args:
        values: Of each fold of each repeat; NaN where it has none.
    """

    values: tuple[float, ...]

    @property
    def known(self) -> list[float]:
        """Those that there are."""
        return [each for each in self.values if isfinite(each)]

    def as_dict(self) -> dict[str, Any]:
        """As JSON: `mean`, `sd` (of a sample), `values`."""
        known = self.known
        mean = fmean(known) if known else None
        sd = stdev(known) if len(known) > 1 else None
        return {"mean": mean, "sd": sd, "values": [each if isfinite(each) else None for each in self.values]}


class Pooled:
    """Measures rows of several outcomes together, each row once for the intervals, however often it comes.

    Args:
        heads: The heads.
        rows: All rows; those that stay together are resampled together.
    """

    def __init__(self, heads: Mapping[str, Head], rows: FoldRows) -> None:
        self.heads, self._units, self._grouped = heads, torch.as_tensor(rows.units), rows.grouped

    def subsets(self, outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, Estimate]]]:
        """The `metrics` of each head for each set of modalities, from the same resamples."""
        scores: dict[str, dict[str, dict[str, Estimate]]] = {subset: {} for subset in outcomes[0].held}
        for name, head in self.heads.items():
            versions = {
                subset: joined([each.held[subset][name] for each in outcomes if name in each.held[subset]])
                for subset in scores
            }
            known = {key: each for key, each in versions.items() if each is not None and bool(each.seen.any())}
            if known:
                found = self._metrics(head.metrics, list(known.values()))
                for subset, each in zip(known, found, strict=True):
                    scores[subset][name] = each
        return scores

    def whole(self, outcomes: Sequence[Outcome]) -> dict[str, dict[str, Estimate]]:
        """All metrics of each head, with all modalities."""
        found = {}
        for name, head in self.heads.items():
            rows = self.rows(name, outcomes)
            if rows is not None:
                (found[name],) = self._metrics(head.all_metrics(), [rows])
        return found

    def over_folds(self, outcomes: Sequence[Outcome]) -> dict[str, dict[str, OverFolds]]:
        """All metrics of each head, fold by fold."""
        return {
            name: {
                metric: OverFolds(tuple(value_of(each, outcome.whole.get(name)) for outcome in outcomes))
                for metric, each in head.all_metrics().items()
            }
            for name, head in self.heads.items()
        }

    def rows(self, head: str, outcomes: Sequence[Outcome]) -> HeadRows | None:
        """All rows of a head that were held out, with all modalities."""
        return joined([each.whole[head] for each in outcomes if head in each.whole])

    def metric(self, head: str, rows: HeadRows) -> Estimate:
        """The head's first metric of some rows."""
        name, metric = next(iter(self.heads[head].metrics.items()))
        (found,) = self._metrics({name: metric}, [rows])
        return found[name]

    def gain(self, metric: Metric, one: HeadRows, other: HeadRows) -> Estimate:
        """What the other's predictions gain over those of one, on the same rows; positive where the other is better."""
        sign = 1.0 if metric.higher else -1.0
        compared = Comparison(metric, {"one": one.rows, "other": other.rows}, self._draws(one))
        return self._counted(compared.estimate({"other": sign, "one": -sign}), one)

    def _metrics(self, metrics: Mapping[str, Metric], versions: Sequence[HeadRows]) -> list[dict[str, Estimate]]:
        found = head_metrics(metrics, versions, self._draws(versions[0]))
        pairs = zip(versions, found, strict=True)
        return [{name: self._counted(each, rows) for name, each in told.items()} for rows, told in pairs]

    def _draws(self, rows: HeadRows) -> Draws:
        return Draws(len(rows.seen), RESAMPLES, self._groups(rows))

    def _groups(self, rows: HeadRows) -> Int[Tensor, "rows"] | None:
        repeated = _different(rows) < len(rows.numbers)
        return self._units[rows.numbers] if self._grouped or repeated else None

    def _counted(self, found: Estimate, rows: HeadRows) -> Estimate:
        """The estimate with the number of different rows that it stands on."""
        times = len(rows.numbers) / max(1, _different(rows))
        return replace(found, n=round(found.n / times))


def _different(rows: HeadRows) -> int:
    """How many rows there are that come once or more often."""
    return len(set(rows.numbers.tolist()))


def joined(parts: Sequence[HeadRows]) -> HeadRows | None:
    """Rows of several outcomes, one after another; None where there are none."""
    if not parts:
        return None
    rows: dict[str, Any] = {}
    for key, first in parts[0].rows.items():
        columns = [each.rows[key] for each in parts]
        rows[key] = torch.cat(columns) if isinstance(first, Tensor) else list(chain.from_iterable(columns))
    targets = (
        None if parts[0].targets is None else torch.cat([each.targets for each in parts if each.targets is not None])
    )
    seen, numbers = torch.cat([each.seen for each in parts]), torch.cat([each.numbers for each in parts])
    return HeadRows(rows, seen, numbers, targets, parts[0].width)


def value_of(metric: Metric, rows: HeadRows | None) -> float:
    """A metric of some rows; NaN where there are none."""
    return float(metric.compute(rows.rows)) if rows is not None and len(rows.numbers) else float("nan")
