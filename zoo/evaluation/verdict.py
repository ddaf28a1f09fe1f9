"""What the numbers say, in words: from intervals of paired differences alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Literal

from zoo.evaluation.audit import HeadAudit
from zoo.evaluation.baselines.measured import Baseline, best
from zoo.evaluation.estimate import Estimate

Judged = Literal["gain", "none", "open", "loss"]
"""A gain; none worth speaking of; these rows cannot tell; a loss."""

A_POINT = 0.01
"""Of a share of rows, a difference that is none worth speaking of."""

NEGLIGIBLE = 0.02
"""Of another metric, the share of what the model gains over the best constant that is none worth speaking of."""

CANNOT: Mapping[Judged, str] = {"gain": "", "none": "", "loss": "", "open": "; these rows cannot tell"}


@dataclass(frozen=True)
class Verdict:
    """What there is to say.

    Args:
        head: Of which head.
        about: Of what: `fusion`, `baselines`, or an input's name.
        judged: Which way it went.
        text: A sentence.
    """

    head: str
    about: str
    judged: Judged
    text: str

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def judge(gain: Estimate, margin: float) -> Judged:
    """What an interval says of a gain.

    Args:
        gain: The paired difference, positive where it is a gain.
        margin: What is too little to speak of.
    """
    if isnan(gain.value):
        return "open"
    if gain.low is None or gain.high is None:  # nothing differs in any row, or too little to be drawn
        return "none" if gain.value == 0 else "open"
    if gain.low > 0:
        return "gain"
    if gain.high < 0:
        return "loss"
    return "none" if gain.high <= margin else "open"


def verdicts(audits: Mapping[str, HeadAudit], baselines: Mapping[str, Sequence[Baseline]]) -> list[Verdict]:
    """All there is to say of each head: of the fusion, of each input, of the plain models beside it.

    Args:
        audits: By head; of models with several inputs.
        baselines: By head.
    """
    said: list[Verdict] = []
    for head, audit in audits.items():
        said += _of_head(head, audit, baselines.get(head, ()))
    return said


def _of_head(head: str, audit: HeadAudit, baselines: Sequence[Baseline]) -> Iterator[Verdict]:
    margin = _negligible(audit)
    tell = Teller(audit.metric, audit.share)
    if len(audit.modalities) > 1:
        judged = judge(audit.fusion, margin)
        yield Verdict(head, "fusion", judged, tell.fusion(judged, audit.best_single, audit.fusion))
        for name, each in audit.modalities.items():
            judged = judge(each.dropped, margin)
            yield Verdict(head, name, judged, tell.modality(judged, name, each.dropped, judge(each.permuted, margin)))
    if plain := [each for each in baselines if not each.own]:
        rival = best(plain)
        judged = judge(rival.gain, margin)
        yield Verdict(head, "baselines", judged, tell.baseline(judged, rival.told, rival.gain))


def _negligible(audit: HeadAudit) -> float:
    """What difference is too little to speak of; none is where nothing tells the scale of the metric."""
    if audit.share:
        return A_POINT
    earned = abs(audit.whole.value - audit.constant.value)
    return 0.0 if isnan(earned) else NEGLIGIBLE * earned


@dataclass(frozen=True)
class Teller:
    """Sentences about a metric.

    Args:
        metric: Its name.
        share: Whether it is a share of rows, told in points.
    """

    metric: str
    share: bool

    def fusion(self, judged: Judged, single: str, gain: Estimate) -> str:
        """Whether all modalities together beat the best single one."""
        told = {
            "gain": f"fusion beats the best single modality ({single})",
            "none": f"fusion does not beat the best single modality ({single})",
            "open": f"fusion is not shown to beat the best single modality ({single})",
            "loss": f"fusion is worse than the best single modality ({single}) alone",
        }
        return f"{told[judged]}: {self.difference(gain)}{CANNOT[judged]}"

    def modality(self, judged: Judged, name: str, gain: Estimate, used: Judged) -> str:
        """Whether a modality is needed beside the others."""
        told = {
            "gain": f"{name} helps",
            "none": f"{name} is hardly needed beside the others",
            "open": f"{name} may not be needed beside the others",
            "loss": f"{name} harms: the model is better without it",
        }
        unused = ", and the model hardly looks at it" if used == "none" and judged in ("none", "open") else ""
        return f"{told[judged]}{unused}: it brings {self.difference(gain)}{CANNOT[judged]}"

    def baseline(self, judged: Judged, name: str, gain: Estimate) -> str:
        """Whether the model beats the best of the plain ones."""
        told = {
            "gain": f"the model beats the best plain baseline ({name})",
            "none": f"a plain baseline is as good ({name})",
            "open": f"a plain baseline may be as good ({name})",
            "loss": f"a plain baseline is better ({name})",
        }
        return f"{told[judged]}: {self.difference(gain)}{CANNOT[judged]}"

    def difference(self, gain: Estimate) -> str:
        """A difference with its interval: "+1.2 points of accuracy [-0.3, +2.7]"."""
        factor, digits, unit = (100, 1, f" points of {self.metric}") if self.share else (1, 3, f" of {self.metric}")
        if isnan(gain.value):
            return f"no value, because {gain.reason}"
        value = f"{factor * gain.value:+.{digits}f}{unit}"
        if gain.low is None or gain.high is None:
            return value
        return f"{value} [{factor * gain.low:+.{digits}f}, {factor * gain.high:+.{digits}f}]"
