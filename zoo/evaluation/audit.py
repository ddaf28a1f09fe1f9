"""The audit: which modality earns how much of a model's quality, and what is left without it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from zoo.contract import Head, MetricRows
from zoo.evaluation.bootstrap import Draws
from zoo.evaluation.constant import constant_outputs
from zoo.evaluation.estimate import Comparison, Estimate
from zoo.evaluation.measure import HeadRows
from zoo.evaluation.missing import DRAWS, RATES, area_weights, kept_inputs, picked, subset_numbers
from zoo.evaluation.shapley import Subset, shapley_weights

PERMUTATIONS = 5
"""How many times each input is exchanged among the rows."""

NOTHING: Subset = ()
"""The best constant: what could be said without looking at any input."""


@dataclass(frozen=True)
class Modality:
    """What one modality is worth. Gains are positive where it helps, whichever way the metric counts.

    Args:
        alone: The metric with this modality alone, of the rows that have it.
        dropped: What the model gains from having it beside the others.
        permuted: What the model gains from having the row's own in place of another row's.
        shapley: Its share of what the whole model gains over the best constant.
    """

    alone: Estimate
    dropped: Estimate
    permuted: Estimate
    shapley: Estimate


@dataclass(frozen=True)
class Missing:
    """The metric where each modality goes missing with a probability, but never all that a row has.

    Args:
        rates: The probabilities.
        values: The metric at each.
        area: Its mean over the rates (trapezoids).
    """

    rates: tuple[float, ...] = ()
    values: tuple[Estimate, ...] = ()
    area: Estimate | None = None


@dataclass(frozen=True)
class HeadAudit:
    """What the audit found of a head, in the metric of it that counts first.

    Args:
        metric: Its name.
        higher: Whether more is better.
        share: Whether it is a share of rows, whose differences are told in points, hundredths.
        whole: With all modalities.
        constant: Of the best constant; of heads without a `task` without a value.
        modalities: By name.
        best_single: The modality that is best alone.
        fusion: What all modalities gain over it, on the rows that have it.
        worst: The set of modalities that does worst, joined with `+`.
        worst_value: How that does.
        missing: Where modalities go missing at random.
        left_out: What could not be measured, and why.
    """

    metric: str
    higher: bool
    share: bool
    whole: Estimate
    constant: Estimate
    modalities: Mapping[str, Modality]
    best_single: str
    fusion: Estimate
    worst: str
    worst_value: Estimate
    missing: Missing
    left_out: tuple[str, ...] = field(default=())


class Audit:
    """The audit of one head.

    Args:
        head: The head.
        subsets: Its rows with each set of the inputs alone, that of all inputs last.
        permuted: By input, its rows with that input exchanged among them, several times.
        present: Which inputs each row has.
        values: The first metric of each subset, of the rows that have any of it.
        draws: Resamples of the rows.
    """

    def __init__(
        self,
        head: Head,
        subsets: Mapping[Subset, HeadRows],
        permuted: Mapping[str, Sequence[HeadRows]],
        present: Bool[Tensor, "rows inputs"],
        values: Mapping[Subset, Estimate],
        draws: Draws,
    ) -> None:
        self.head, self.subsets, self.values, self.draws = head, subsets, values, draws
        self.names = list(permuted)
        self.name, self.metric = next(iter(head.metrics.items()))
        self.sign = 1.0 if self.metric.higher else -1.0
        self.every = len(subsets) == 2 ** len(self.names) - 1
        self.all = tuple(self.names)
        self.left_out: list[str] = []
        self._compare = self._versions(permuted, present)

    def found(self) -> HeadAudit:
        """All of it."""
        singles = [(name,) for name in self.names]
        best = max(singles, key=lambda each: self.sign * _known(self.values[each].value, self.sign))
        measured = [each for each in self.values if self.values[each].value == self.values[each].value]
        worst = min(measured or [self.all], key=lambda each: self.sign * self.values[each].value)
        missing = self._missing()
        return HeadAudit(
            self.name,
            self.metric.higher,
            self.metric.share is not None,
            self.values[self.all],
            self._constant(),
            {name: self._modality(name) for name in self.names},
            best[0],
            self._fusion(best),
            "+".join(worst),
            self.values[worst],
            missing,
            tuple(self.left_out),
        )

    def _versions(self, permuted: Mapping[str, Sequence[HeadRows]], present: Bool[Tensor, "rows inputs"]) -> Comparison:
        """All versions of the rows that are compared; what a set says nothing of, the best constant says."""
        whole = self.subsets[self.all]
        versions: dict[Hashable, MetricRows] = {subset: each.rows for subset, each in self.subsets.items()}
        kept = torch.stack([each.seen for each in self.subsets.values()]).all(0)
        index = None
        if self.head.task is not None and whole.targets is not None:
            constant = self.head.rows(constant_outputs(self.head.task, whole.targets, whole.width), whole.targets)
            versions[NOTHING] = constant
            for subset, each in self.subsets.items():
                if not bool(each.seen.all()):
                    versions[subset] = picked([constant, each.rows], each.seen.long())
        elif not bool(kept.all()):
            index = kept.nonzero().squeeze(1)
        for name, several in permuted.items():
            versions |= {(name, number): each.rows for number, each in enumerate(several)}
        if self.every and len(self.names) > 1:
            versions |= self._thinned(present)
        return Comparison(self.metric, versions, self.draws, index)

    def _thinned(self, present: Bool[Tensor, "rows inputs"]) -> dict[Hashable, MetricRows]:
        """The rows where inputs go missing: each row is what it is in the set of those that are left of it."""
        generator = torch.Generator().manual_seed(0)
        subsets = list(self.subsets)
        rows = [self.subsets[each].rows for each in subsets]
        found: dict[Hashable, MetricRows] = {}
        for rate in RATES[1:]:
            for draw in range(DRAWS):
                kept = kept_inputs(present, rate, generator)
                found[rate, draw] = picked(rows, subset_numbers(kept, self.names, subsets))
        return found

    def _gain(self, better: Mapping[Any, float], worse: Mapping[Any, float]) -> Estimate:
        weights = {key: self.sign * weight for key, weight in better.items()}
        return self._compare.estimate(weights | {key: -self.sign * weight for key, weight in worse.items()})

    def _modality(self, name: str) -> Modality:
        rest = tuple(each for each in self.names if each != name)
        alone = rest == NOTHING and self.head.task is None
        exchanged = {(name, number): 1 / PERMUTATIONS for number in range(PERMUTATIONS)}
        return Modality(
            self.values[(name,)],
            self._constant() if alone else self._gain({self.all: 1.0}, {rest: 1.0}),
            self._gain({self.all: 1.0}, exchanged),
            self._shapley(name),
        )

    def _shapley(self, name: str) -> Estimate:
        if self.head.task is None:
            return self._without("Shapley values: the head has no `task`, so that there is no best constant")
        if not self.every:
            return self._without("Shapley values: there are too many inputs to measure every set of them")
        return self._gain(shapley_weights(self.names, name), {})

    def _constant(self) -> Estimate:
        if self.head.task is None:
            return self._without("the best constant: the head has no `task`")
        return self._compare.estimate({NOTHING: 1.0})

    def _fusion(self, single: Subset) -> Estimate:
        """What all modalities gain over one, on the rows that have that one."""
        whole, alone = self.subsets[self.all], self.subsets[single]
        index = None if bool(alone.seen.all()) else alone.seen.nonzero().squeeze(1)
        pair = Comparison(self.metric, {"all": whole.rows, "one": alone.rows}, self.draws, index)
        return pair.estimate({"all": self.sign, "one": -self.sign})

    def _missing(self) -> Missing:
        if len(self.names) == 1:
            return Missing()
        if not self.every:
            self._without("random missing rates: there are too many inputs to measure every set of them")
            return Missing()
        shares: list[dict[Any, float]] = [{self.all: 1.0}]
        shares += [{(rate, draw): 1 / DRAWS for draw in range(DRAWS)} for rate in RATES[1:]]
        weights: dict[Any, float] = {}
        for part, each in zip(area_weights(RATES), shares, strict=True):
            weights |= {key: part * share for key, share in each.items()}
        values = tuple(self._compare.estimate(each) for each in shares)
        return Missing(RATES, values, self._compare.estimate(weights))

    def _without(self, reason: str) -> Estimate:
        if reason not in self.left_out:
            self.left_out.append(reason)
        return Estimate(float("nan"), 0, reason=reason.partition(": ")[2])


def _known(value: float, sign: float) -> float:
    """The value; the worst there is where there is none."""
    return value if value == value else -sign * float("inf")
