"""Each verdict has its interval, and each sentence says no more than it."""

from typing import Any

import pytest

from zoo.evaluation.audit import HeadAudit, Missing, Modality
from zoo.evaluation.baselines.measured import Baseline
from zoo.evaluation.estimate import Estimate
from zoo.evaluation.verdict import Judged, judge, verdicts

NOTHING = Estimate(float("nan"), 0, reason="there is none")
INTERVALS: dict[Judged, tuple[float, float]] = {
    "gain": (0.02, 0.06),
    "none": (-0.02, 0.008),
    "open": (-0.02, 0.04),
    "loss": (-0.05, -0.01),
}


def between(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, 100, low, high)


def audit(**changed: Any) -> HeadAudit:
    gain = between(*INTERVALS["gain"])
    modality = Modality(between(0.6, 0.7), changed.pop("dropped", gain), changed.pop("permuted", gain), gain)
    known = {
        "metric": "accuracy",
        "higher": True,
        "share": True,
        "whole": between(0.8, 0.9),
        "constant": between(0.3, 0.4),
        "modalities": {"voice": modality, "photo": modality},
        "best_single": "photo",
        "fusion": gain,
        "worst": "voice",
        "worst_value": between(0.6, 0.7),
        "missing": Missing(),
    }
    return HeadAudit(**{**known, **changed})


@pytest.mark.parametrize("judged", INTERVALS)
def test_what_an_interval_says(judged: Judged) -> None:
    assert judge(between(*INTERVALS[judged]), 0.01) == judged


def test_what_has_no_interval() -> None:
    assert judge(NOTHING, 0.01) == "open"
    assert judge(Estimate(0.0, 9), 0.01) == "none"
    assert judge(Estimate(0.3, 9), 0.01) == "open"


@pytest.mark.parametrize(
    ("judged", "text"),
    {
        "gain": "fusion beats the best single modality (photo): +4.0 points of accuracy [+2.0, +6.0]",
        "none": "fusion does not beat the best single modality (photo): -0.6 points of accuracy [-2.0, +0.8]",
        "open": "fusion is not shown to beat the best single modality (photo): +1.0 points of accuracy [-2.0, +4.0]; "
        "these rows cannot tell",
        "loss": "fusion is worse than the best single modality (photo) alone: -3.0 points of accuracy [-5.0, -1.0]",
    }.items(),
)
def test_of_the_fusion(judged: Judged, text: str) -> None:
    first = verdicts({"mood": audit(fusion=between(*INTERVALS[judged]))}, {})[0]
    assert (first.head, first.about, first.judged, first.text) == ("mood", "fusion", judged, text)


@pytest.mark.parametrize(
    ("judged", "text"),
    {
        "gain": "voice helps: it brings +4.0 points of accuracy [+2.0, +6.0]",
        "none": "voice is hardly needed beside the others: it brings -0.6 points of accuracy [-2.0, +0.8]",
        "open": "voice may not be needed beside the others: it brings +1.0 points of accuracy [-2.0, +4.0]; these rows "
        "cannot tell",
        "loss": "voice harms: the model is better without it: it brings -3.0 points of accuracy [-5.0, -1.0]",
    }.items(),
)
def test_of_a_modality(judged: Judged, text: str) -> None:
    found = verdicts({"mood": audit(dropped=between(*INTERVALS[judged]))}, {})[1]
    assert (found.about, found.judged, found.text) == ("voice", judged, text)


def test_of_a_modality_that_the_model_does_not_look_at() -> None:
    none = between(*INTERVALS["none"])
    assert "and the model hardly looks at it" in verdicts({"mood": audit(dropped=none, permuted=none)}, {})[1].text
    assert "hardly looks" not in verdicts({"mood": audit(permuted=none)}, {})[1].text


@pytest.mark.parametrize(
    ("judged", "text"),
    {
        "gain": "the model beats the best plain baseline (ridge): +4.0",
        "none": "a plain baseline is as good (ridge): -0.6",
        "open": "a plain baseline may be as good (ridge): +1.0",
        "loss": "a plain baseline is better (ridge): -3.0",
    }.items(),
)
def test_of_the_baselines(judged: Judged, text: str) -> None:
    weak, own = Baseline("mean", 9, {}, between(0.3, 0.4)), Baseline("probe", 9, {}, between(-0.4, -0.3), own=True)
    found = verdicts({"mood": audit()}, {"mood": [weak, Baseline("ridge", 9, {}, between(*INTERVALS[judged])), own]})
    assert found[-1].about == "baselines" and found[-1].judged == judged
    assert found[-1].text.startswith(text)


def test_another_metric_is_told_in_its_own_unit_and_scale() -> None:
    told = audit(metric="mae", share=False, higher=False, whole=between(2, 4), constant=between(12, 14))
    small = verdicts({"price": audit(**{**vars(told), "fusion": between(-0.3, 0.15)})}, {})[0]
    assert small.judged == "none"  # less than 2 % of the 10 that the model earns
    assert small.text.endswith("-0.075 of mae [-0.300, +0.150]")
    unknown = verdicts({"price": audit(**{**vars(told), "fusion": between(-0.3, 0.15), "constant": NOTHING})}, {})[0]
    assert unknown.judged == "open"  # nothing tells what is little


def test_of_one_modality_there_is_nothing_to_say_but_of_the_baselines() -> None:
    one = Modality(between(0.6, 0.7), NOTHING, NOTHING, NOTHING)
    found = verdicts({"mood": audit(modalities={"photo": one})}, {"mood": [Baseline("mean", 9, {}, between(0.3, 0.4))]})
    assert [each.about for each in found] == ["baselines"]
