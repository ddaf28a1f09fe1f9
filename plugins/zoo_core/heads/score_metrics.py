"""How good probabilities of classes are.

Rows hold `true` and `scores`: of several classes the number of the true one and log-probabilities, of labels which of
them are true and logits.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from zoo_core.heads.weighing import Bound, Rows, Weights, mean_of, weighed

BINS = 15
MOST = 1_000_000
"""Most rows times classes whose order is looked at in every resample."""

Ranked = Callable[[Weights], Tensor]


def _each_class(one: Callable[[Tensor, Tensor], Ranked]) -> Callable[[Rows], Bound | None]:
    """The mean over the classes of a metric of one class against the rest, without those that it has no value for."""

    def bind(rows: Rows) -> Bound | None:
        scores, true = rows["scores"], _membership(rows)
        if scores.numel() > MOST:
            return None
        bound = [one(scores[:, number], true[:, number]) for number in range(scores.shape[1])]
        return lambda weights: torch.stack([each(weights) for each in bound]).nanmean(0)

    return bind


def _membership(rows: Rows) -> Bool[Tensor, "rows classes"]:
    """Which classes each row has."""
    true, scores = rows["true"], rows["scores"]
    member: Tensor = true if true.ndim == 2 else true[:, None] == torch.arange(scores.shape[1])
    return member


def _ends(scores: Float64[Tensor, "rows"]) -> tuple[Tensor, Tensor, Tensor]:
    """The rows by falling score; and of each of these places where its equals begin and where they end."""
    order = scores.argsort(descending=True, stable=True)
    _, counts = torch.unique_consecutive(scores[order], return_counts=True)
    ends = counts.cumsum(0)
    return order, (ends - counts).repeat_interleave(counts), ends.repeat_interleave(counts)


def _area(scores: Float64[Tensor, "rows"], true: Bool[Tensor, "rows"]) -> Ranked:
    """Probability that a row with the class is ahead of one without; equals count half (Mann and Whitney 1947)."""
    order, begins, ends = _ends(scores)
    positive = true[order]

    def values(weights: Weights) -> Tensor:
        placed = weights[order]
        ahead = _before(placed * ~positive[:, None])
        without = ahead[-1]
        behind = without - (ahead[begins[positive]] + ahead[ends[positive]]) / 2
        return (placed[positive] * behind).sum(0) / (placed[positive].sum(0) * without)

    return values


def _precision(scores: Float64[Tensor, "rows"], true: Bool[Tensor, "rows"]) -> Ranked:
    """Mean over the rows with the class of the precision among those that score as high (no interpolation)."""
    order, _, ends = _ends(scores)
    positive = true[order]

    def values(weights: Weights) -> Tensor:
        placed = weights[order]
        found, told = _before(placed * positive[:, None]), _before(placed)
        place = ends[positive]
        precision = found[place] / told[place].clamp(min=1e-300)  # where nothing counts, nothing is found either
        return (placed[positive] * precision).sum(0) / placed[positive].sum(0)

    return values


def _before(weights: Weights) -> Tensor:
    """The weight of all rows before each place, and of all in the last entry."""
    return torch.cat([weights.new_zeros(1, weights.shape[1]), weights.cumsum(0)])


def _calibration(rows: Rows) -> Bound:
    confidence, chosen = rows["scores"].exp().max(1)
    bins = (confidence * BINS).ceil().long().sub(1).clamp(0, BINS - 1)
    gaps = torch.zeros(BINS, len(bins), dtype=torch.float64)
    gaps[bins, torch.arange(len(bins))] = confidence - (chosen == rows["true"]).double()
    return lambda weights: (gaps @ weights).abs().sum(0) / weights.sum(0)


def _log_loss(rows: Rows) -> Float64[Tensor, "rows"]:
    losses: Tensor = -rows["scores"].gather(1, rows["true"][:, None]).squeeze(1)
    return losses


def _brier(rows: Rows) -> Float64[Tensor, "rows"]:
    distances: Tensor = rows["scores"].exp() - _membership(rows).double()
    return distances.square().sum(1)


ONE_CLASS = "only one class occurs"
AUROC = weighed(
    _each_class(_area),
    doc="Area under the ROC curve, mean over the classes that occur, each against the rest; 0.5 is chance.",
    undefined=ONE_CLASS,
)
AVERAGE_PRECISION = weighed(
    _each_class(_precision),
    doc="Average precision, mean over the classes that occur, each against the rest.",
    undefined="no class occurs",
)
CALIBRATION = weighed(
    _calibration,
    higher=False,
    doc="Expected calibration error of the likeliest class, 15 bins of equal width (Guo et al. 2017).",
)
LOG_LOSS = mean_of(_log_loss, higher=False, doc="Mean negative logarithm of the true class's probability.")
BRIER = mean_of(
    _brier, higher=False, doc="Mean squared distance of the probabilities to the truth, 0 to 2 (Brier 1950)."
)
AUROC_OF_LABELS = weighed(
    _each_class(_area),
    doc="Area under the ROC curve, mean over the labels that occur; 0.5 is chance.",
    undefined="no label is there in some rows and not in others",
)
MEAN_AVERAGE_PRECISION = weighed(
    _each_class(_precision), doc="Average precision, mean over the labels that occur.", undefined="no label occurs"
)
