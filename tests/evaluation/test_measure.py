from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tables import write_tables
from zoo.data.open import labelled
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.measure import all_subsets, measure, measure_subsets
from zoo.evaluation.predict import predict
from zoo.features import Batch
from zoo.model.build import build
from zoo.model.model import ZooModel

CPU = torch.device("cpu")


@pytest.fixture
def model(tmp_path: Path) -> ZooModel:
    return build(write_tables(tmp_path))


def without(batch: Batch, name: str) -> Batch:
    gone = torch.ones(len(batch), dtype=torch.bool)
    return replace(batch, inputs={**batch.inputs, name: batch.inputs[name].without(gone)})


def test_every_set_of_inputs_single_ones_first() -> None:
    assert all_subsets("ab") == [("a",), ("b",), ("a", "b")]
    assert len(all_subsets("abcd")) == 15
    assert len(all_subsets("abcdef")) == 63


def test_of_many_inputs_each_alone_all_but_each_and_all() -> None:
    subsets = all_subsets("abcdefgh")
    assert [len(each) for each in subsets] == [1] * 8 + [7] * 8 + [8]


def test_a_set_of_inputs_counts_as_if_the_others_were_absent(model: ZooModel) -> None:
    batches = list(labelled(model)[1])
    hidden = measure_subsets(model, batches, CPU, [("left",), ("right",)])
    for name, other in (("left", "right"), ("right", "left")):
        alone = measure(model, [without(batch, other) for batch in batches], CPU).metrics()
        for head, metrics in hidden[(name,)].metrics().items():
            for metric, found in metrics.items():
                assert found.value == pytest.approx(alone[head][metric].value, rel=1e-4)


def test_rows_without_any_input_of_a_set_are_not_counted(model: ZooModel) -> None:
    found = evaluate(model)
    rows = {subset: heads["kind"]["accuracy"].n for subset, heads in found.subsets.items()}
    assert rows == {"left": 36, "right": 40, "left+right": 40}
    assert found.heads["size"]["mae"].n == 35  # rows with a label alone


def test_metrics_are_those_of_the_predictions(model: ZooModel) -> None:
    _, loader, _ = labelled(model)
    found = measure(model, loader, CPU).metrics()
    model.eval()
    classes = model.fitted["heads"]["kind"]["classes"]
    pairs = [
        (predicted["label"], classes[int(true)])
        for batch in loader
        for predicted, true in zip(model.predict(batch)["kind"], batch.targets["kind"].value, strict=True)
    ]
    assert found["kind"]["accuracy"].value == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


def test_the_loss_is_that_of_training_over_all_rows(model: ZooModel) -> None:
    batches = list(labelled(model)[1])
    model.eval()
    with torch.no_grad():
        total = sum(float(model.loss(model(batch))) * len(batch) for batch in batches)
    assert measure(model, batches, CPU).loss == pytest.approx(total / sum(map(len, batches)), rel=1e-5)


def test_measuring_leaves_the_mode_as_it_was(model: ZooModel) -> None:
    batches = list(labelled(model)[1])
    for training in (True, False):
        model.train(training)
        measure(model, batches, CPU)
        assert model.training is training


def test_predictions_do_not_depend_on_their_neighbours(model: ZooModel) -> None:
    samples: list[dict[str, Any]] = [
        {"left": {"a": 1.0, "b": 2.0}, "right": 0.5},
        {"right": 1.5},
        {"left": {"a": 0.0, "b": None}},
    ]
    together = predict(model, samples)
    for sample, found in zip(samples, together, strict=True):
        (alone,) = predict(model, [sample])
        assert alone["kind"]["probability"] == pytest.approx(found["kind"]["probability"], rel=1e-4)
        assert alone["size"] == pytest.approx(found["size"], rel=1e-4)
