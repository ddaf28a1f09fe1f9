"""From label cells to classes and back."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.core_heads import learnt, make, outputs, targets, trained
from zoo import UsageError
from zoo_core.declarations.heads import Classifier

SINGLE, MULTI = Classifier(), Classifier(multi_label=True)
CELLS = st.one_of(
    st.text(min_size=1),
    st.integers(),
    st.booleans(),
    st.floats(-1e9, 1e9),
    st.just(np.int64(3)),
    st.just(np.float32(2)),
)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["good", "bad", "good", "fine"], ["bad", "fine", "good"]),
        ([10, 9, 9, 100], ["9", "10", "100"]),
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        ([1.0, 0.0, 2.0], ["0", "1", "2"]),
        ([0.5, 0.25], ["0.25", "0.5"]),
        ([True, False, True], ["false", "true"]),
        ([np.bool_(True), np.bool_(False)], ["false", "true"]),
        ([2**60 + 1, 2**60], [str(2**60), str(2**60 + 1)]),
        ([np.int8(2), np.float32(1)], ["1", "2"]),
        ([Decimal("1.00"), 2, "3"], ["1", "2", "3"]),
    ],
)
def test_classes_are_named_and_sorted(cells: list[Any], classes: list[str]) -> None:
    assert learnt(SINGLE, cells)["classes"] == classes


def test_classes_are_counted() -> None:
    found = learnt(SINGLE, ["b", "a", "b"])
    assert found == {"classes": ["a", "b"], "counts": [1, 2], "rows": 3}
    assert json.loads(json.dumps(found)) == found


def test_labels_are_counted_once_a_row() -> None:
    found = learnt(MULTI, [["b", "a", "b"], [], ("b",), np.array(["c"])])
    assert found == {"classes": ["a", "b", "c"], "counts": [1, 2, 1], "rows": 4}


def test_named_classes_keep_their_order() -> None:
    options = Classifier(classes=["bad", "fine", "good"])
    assert learnt(options, ["good", "good"]) == {"classes": ["bad", "fine", "good"], "counts": [0, 0, 2], "rows": 2}
    assert targets(trained(options, []), ["good", "bad"]).tolist() == [2, 0]


@given(st.lists(CELLS, min_size=2, max_size=9))
def test_every_cell_is_found_again(cells: list[Any]) -> None:
    head: Any = trained(MULTI, [[cell] for cell in cells])
    for cell in cells:
        (code,) = head.label([cell])
        name = head.classes[code]
        assert name == cell if isinstance(cell, str) else json.loads(name) == cell
    assert learnt(MULTI, [[name] for name in head.classes])["classes"] == head.classes


def test_different_cells_of_one_class_are_one_class() -> None:
    head = trained(SINGLE, [1, 2])
    assert targets(head, [1, 1.0, "1", np.uint8(1), Decimal(1)]).tolist() == [0] * 5


@pytest.mark.parametrize(
    ("options", "cells", "message"),
    [
        (SINGLE, [], "no training row has a label"),
        (SINGLE, ["a", "a"], "all training rows are of the class `a`"),
        (SINGLE, ["a", ["b"]], "is a list; write `multi_label: true`"),
        (SINGLE, ["a", b"b"], "is no name of a class"),
        (SINGLE, ["a", {"b": 1}], "is no name of a class"),
        (SINGLE, ["a", ""], "names no class; the cell of a row without a label is null"),
        (SINGLE, ["a", float("nan")], "names no class; the cell of a row without a label is null"),
        (SINGLE, range(10_001), r"10001 different labels \(0, 1, 10.*\), too many to be classes; .*zoo/regressor"),
        (SINGLE, [*range(10_001)] * 3, "30003 training rows have 10001 different labels"),
        (SINGLE, [*range(60), *range(40)], "100 training rows have 60 different labels"),
        (MULTI, ["a"], "is no list; with `multi_label: true` a cell is a list of classes"),
        (MULTI, [["a", None]], "is no name of a class"),
        (MULTI, [[], []], "no training row has a label"),
        (Classifier(classes=["a", "b"]), ["a", "c"], "`c` is none of the 2 classes: a, b"),
    ],
)
def test_what_are_no_classes_is_refused(options: Classifier, cells: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learnt(options, cells)


def test_many_classes_are_believed_of_many_rows_and_few_of_any() -> None:
    assert len(learnt(SINGLE, range(50))["classes"]) == 50
    assert len(learnt(SINGLE, [*range(60)] * 2)["classes"]) == 60
    assert len(learnt(Classifier(classes=[str(number) for number in range(60)]), range(60))["classes"]) == 60


def test_a_label_of_no_class_is_refused_with_the_classes() -> None:
    head = trained(SINGLE, [f"class {number:02}" for number in range(20)])
    with pytest.raises(ValueError, match=r"`class 99` is none of the 20 classes: class 00, class 01, .* and 12 more"):
        head.label("class 99")
    with pytest.raises(ValueError, match="is a list"):
        head.label(["class 00"])


def test_classes_that_nobody_knows_are_asked_for() -> None:
    with pytest.raises(UsageError, match=r"classes are learnt from the training rows: name them in `data.train`"):
        make(SINGLE)
    with pytest.raises(UsageError, match="counts are learnt from the training rows"):
        make(Classifier(classes=["a", "b"], class_weights="balanced"))


def test_the_likeliest_class_is_told_with_all_probabilities() -> None:
    head = trained(SINGLE, ["bad", "fine", "good"])
    (told,) = head.decode(torch.tensor([0.2, 0.5, 0.3]).log()[None])
    assert told["label"] == "fine"
    assert told["probability"] == pytest.approx(0.5)
    assert told["probabilities"] == pytest.approx({"bad": 0.2, "fine": 0.5, "good": 0.3})
    assert sum(told["probabilities"].values()) == pytest.approx(1, rel=1e-12)
    assert json.loads(json.dumps(told)) == told


def test_labels_likelier_than_not_are_told() -> None:
    head = trained(MULTI, [["a"], ["b"], ["c"]])
    told, none = head.decode(torch.tensor([[0.9, 0.4, 0.6], [0.1, 0.1, 0.1]]).logit())
    assert told["labels"] == ["a", "c"]
    assert told["probabilities"] == pytest.approx({"a": 0.9, "b": 0.4, "c": 0.6})
    assert none["labels"] == []


@pytest.mark.parametrize("options", [SINGLE, MULTI], ids=["single", "multi"])
def test_what_is_measured_is_what_is_told(options: Classifier) -> None:
    names = ["a", "b", "c"]
    cells: list[Any] = [["a", "b"], [], ["c"], ["b"]] if options.multi_label else ["a", "c", "b", "b"]
    head: Any = trained(options, [names] if options.multi_label else names)
    logits = outputs(head)
    rows, told = head.rows(logits, targets(head, cells)), head.decode(logits)
    if options.multi_label:
        assert [[names[code] for code in row.nonzero()] for row in rows["true"]] == cells
        assert [[names[code] for code in row.nonzero()] for row in rows["predicted"]] == [
            each["labels"] for each in told
        ]
    else:
        assert [names[code] for code in rows["true"]] == cells
        assert [names[code] for code in rows["predicted"]] == [each["label"] for each in told]
