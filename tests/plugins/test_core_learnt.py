"""What a run tells that was learnt may be anybody's: words, classes and counts that are none are refused."""

from typing import Any

import pytest

from zoo import FeatureSpec, HeadContext, UsageError
from zoo_core.backbones.words import Number
from zoo_core.declarations.heads import Classifier
from zoo_core.heads import classifier
from zoo_core.learnt import learnt_names, learnt_numbers


def context(learnt: dict[str, Any]) -> HeadContext:
    return HeadContext(name="mood", features=FeatureSpec(dim=4, pooled_dim=4), fitted=learnt)


@pytest.mark.parametrize("words", [None, "ab", [1], {"a": 1}, [["a"]], ["a", "a"]], ids=str)
def test_words_that_are_none(words: Any) -> None:
    with pytest.raises(UsageError, match="words that it learnt"):
        Number({"words": words}, 8)


@pytest.mark.parametrize("numbers", [None, [], [1], ["1", "2"], [True, False], [1, float("nan")], [1, 10**400]])
def test_numbers_that_are_none(numbers: Any) -> None:
    with pytest.raises(UsageError, match="the means that it learnt are no 2 numbers"):
        learnt_numbers({"means": numbers}, "means", 2)


@pytest.mark.parametrize(("numbers", "count"), [([], None), ([1], 0), ([1, 2], 0)])
def test_numbers_that_are_too_few_or_too_many(numbers: list[int], count: int | None) -> None:
    with pytest.raises(UsageError, match="the means that it learnt are no"):
        learnt_numbers({"means": numbers}, "means", count)
    assert learnt_numbers({"means": []}, "means", 0) == []


def test_what_was_learnt_is_given_as_it_is() -> None:
    assert learnt_numbers({"means": [1, 2.5]}, "means") == [1, 2.5]
    assert learnt_names(["b", "a"], "words") == ["b", "a"]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("change", [{"counts": [1]}, {"counts": {}}, {"rows": "2"}, {"rows": None}], ids=str)
def test_counts_that_are_none(change: dict[str, Any], multi_label: bool) -> None:
    learnt = {"classes": ["a", "b"], "counts": [1, 1], "rows": 2}
    options = Classifier(class_weights="balanced", multi_label=multi_label)
    classifier.build(options, context(learnt))
    with pytest.raises(UsageError, match=f"the {next(iter(change))} that it learnt are no"):
        classifier.build(options, context({**learnt, **change}))
