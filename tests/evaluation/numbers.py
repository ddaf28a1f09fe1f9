"""What a training measured in the end, beside what `zoo eval` tells later."""

from collections.abc import Mapping
from typing import Any


def values(scores: Mapping[str, Any]) -> dict[tuple[str, str], tuple[float | None, int]]:
    """The value of each metric of each head, to rounding, and on how many rows it stands."""
    told = {(head, metric): each for head, found in scores.items() for metric, each in found.items()}
    return {
        name: (None if each["value"] is None else round(each["value"], 4), each["n"]) for name, each in told.items()
    }


def same_numbers(evaluation: Mapping[str, Any], metrics: Mapping[str, Any]) -> bool:
    """Whether an evaluation tells what a training measured, of every set of modalities.

    To rounding: `zoo eval` has the rows in another order, and so beside others in a batch.
    """
    heads, before = values(evaluation["heads"]), values(metrics["heads"])
    subsets = {name: values(each) for name, each in evaluation["subsets"].items()}
    return (
        before.items() <= heads.items()
        and subsets == {name: values(each) for name, each in metrics["subsets"].items()}
        and all(evaluation[key] == metrics[key] for key in ("split", "never_absent", "unusable"))
    )
