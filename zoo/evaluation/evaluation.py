"""What an evaluation found, in Python and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from zoo.evaluation.audit import HeadAudit
from zoo.evaluation.baselines.measured import Baseline
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.verdict import Verdict
from zoo.model.model import untaught

Scores = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How good a model is.

    Args:
        split: What it was measured on: `test`, the spec's test table; `validation`, rows that chose the epoch; or the
            path of a table.
        heads: Each head's metrics, with all modalities.
        subsets: The first of them for every non-empty set of modalities, by their names joined with `+`, single ones
            first.
        never_absent: Modalities that no training row lacked: without them the model does what nobody taught it.
        unusable: Rows of the split that cannot be used and stand in no number (`data.on_error: skip`).
        classes: By head and class, precision, recall and F1.
        confusion: By head, its classes, and how many rows of each (down) each was predicted (across).
        audit: By head, what each modality is worth.
        baselines: By head, the plain models beside it.
        verdict: What there is to say of all this, in words.
        remarks: What was not measured, and why, and what else should be known.
    """

    split: str
    heads: Scores
    subsets: Mapping[str, Scores]
    never_absent: tuple[str, ...] = ()
    unusable: int = 0
    classes: Mapping[str, Mapping[str, Mapping[str, Estimate]]] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    audit: Mapping[str, HeadAudit] = field(default_factory=dict)
    baselines: Mapping[str, Sequence[Baseline]] = field(default_factory=dict)
    verdict: Sequence[Verdict] = ()
    remarks: Sequence[str] = ()

    def __repr__(self) -> str:
        """The whole model's metrics, those of every set of its modalities, a line for each head, and the verdicts."""
        lines = [f"measured on {self.split}"]
        for subset, scores in reversed(list(self.subsets.items())):
            for head, found in scores.items():
                told = ", ".join(f"{metric} {estimate}" for metric, estimate in found.items())
                lines.append(f"  {subset}: {head}: {told}")
        lines += [f"  {each.head}: {each.text}" for each in self.verdict]
        if self.unusable:
            lines.append(left_out(self.split, self.unusable))
        if self.never_absent:
            lines.append(untaught(self.never_absent))
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of `zoo eval`; of the metrics of a training, the first five keys alone."""
        told = {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        keys = list(told) if self.audit else list(told)[:5]
        return {key: told[key] for key in keys}


def left_out(split: str, unusable: int) -> str:
    """A remark on the rows that stand in no number."""
    rows = "row cannot be used and stands" if unusable == 1 else "rows cannot be used and stand"
    return f"{unusable:,} {rows} in no number on {split}; `zoo data check` tells which"


def _plain(value: Any) -> Any:
    """Estimates and what holds them as JSON data."""
    if isinstance(value, (Estimate, Verdict)):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
