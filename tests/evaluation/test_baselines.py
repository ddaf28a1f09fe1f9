"""Plain models are scikit-learn's, learnt from the training rows alone, and left out where these are not there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from tests.tables import SPEC, write_tables
from zoo.evaluation.baselines.features import features_told
from zoo.evaluation.baselines.plain import boosted, linear, nearest
from zoo.evaluation.baselines.tables import Rows, number_design, text_design, tree_design
from zoo.evaluation.constant import constant_outputs
from zoo.evaluation.evaluate import evaluate
from zoo.model.build import build
from zoo.spec.load import load_spec
from zoo.training.train import train

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
CODES = torch.as_tensor((X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 1))
NUMBERS = torch.as_tensor(np.stack([X[:, 0] * 3 + 1, X[:, 2]], 1))


def test_a_linear_model_of_classes_is_a_logistic_regression() -> None:
    outputs = linear("classes", 3, None)(X, CODES, X)
    candidates = [LogisticRegression(C=c, max_iter=200).fit(X, CODES).predict_proba(X) for c in (0.01, 0.1, 1, 10, 100)]
    assert any(np.allclose(outputs.exp().numpy(), each, atol=1e-6) for each in candidates)
    assert (outputs.argmax(1) == CODES).double().mean() > 0.9


def test_classes_without_a_training_row_are_never_said() -> None:
    outputs = linear("classes", 5, None)(X, CODES, X)
    assert outputs.shape == (60, 5) and int(outputs.argmax(1).max()) < 3
    constant = linear("classes", 5, None)(X, torch.ones(60, dtype=torch.long), X)
    assert constant.argmax(1).tolist() == [1] * 60


def test_a_linear_model_of_numbers_is_a_ridge_of_the_rows_that_have_them() -> None:
    targets = NUMBERS.clone()
    targets[:20, 1] = torch.nan
    outputs = linear("numbers", 2, None)(X, targets, X).numpy()
    candidates = [Ridge(alpha=1 / c).fit(X[20:], targets[20:, 1]).predict(X) for c in (0.01, 0.1, 1, 10, 100)]
    assert any(np.allclose(outputs[:, 1], each, atol=1e-6) for each in candidates)


@pytest.mark.parametrize("make", [lambda task, width: linear(task, width, None), boosted, nearest])
def test_every_plain_model_has_every_task(make: Any) -> None:
    labels = torch.stack([CODES > 0, CODES > 1, CODES < 0], 1).float()
    assert (make("classes", 3)(X, CODES, X).argmax(1) == CODES).double().mean() > 0.7
    told = make("labels", 3)(X, labels, X)
    assert ((told > 0) == (labels > 0)).double().mean() > 0.8
    assert not bool((told[:, 2] > 0).any())  # which no training row has
    errors = (make("numbers", 2)(X, NUMBERS, X) - NUMBERS).square().mean(0)
    assert bool((errors < 0.7 * NUMBERS.var(0)).all())


def test_the_strength_is_chosen_on_whole_groups() -> None:
    """Rows of a group are copies: chosen on single rows, the weakest restraint would look best."""
    groups = np.arange(20).repeat(6)
    rows, targets = RANDOM.normal(size=(20, 30)).repeat(6, 0), torch.as_tensor(RANDOM.normal(size=(20, 1)).repeat(6, 0))
    apart = linear("numbers", 1, groups.tolist())(rows, targets, rows)
    copied = linear("numbers", 1, None)(rows, targets, rows)
    assert float(apart.var()) < 0.8 * float(copied.var())


def test_the_best_constant() -> None:
    assert constant_outputs("classes", torch.tensor([2, 0, 2]), 4).argmax(1).tolist() == [2, 2, 2]
    labels = torch.tensor([[1.0, 0, 0], [1, 0, 1], [0, 0, 0]])
    assert (constant_outputs("labels", labels, 3, 2) > 0).tolist() == [[True, False, False]] * 2
    assert constant_outputs("numbers", torch.tensor([[1.0], [torch.nan], [4]]), 1)[0].item() == 2.5


def test_numbers_and_categories_become_columns() -> None:
    numbers = np.array([[1, 0], [3, 1], [np.nan, 0], [5, np.nan]], np.float32)
    training, others = Rows(numbers={"x": numbers}), Rows(numbers={"x": np.array([[3, 7]], np.float32)})
    design = number_design(training, others, {"x": (0, 2)})
    assert design is not None
    assert design.training.shape == (4, 2 + 3)  # a number and whether it is missing; two categories, and none
    assert design.others[0].tolist()[0] == pytest.approx(0) and not design.others[0, 2:].any()  # an unknown category
    trees = tree_design(training, others)
    assert trees is not None and np.array_equal(trees.training, numbers, equal_nan=True)
    assert number_design(Rows(), Rows(), {}) is tree_design(Rows(), Rows()) is None


def test_words_are_those_of_the_training_rows() -> None:
    training, others = Rows(texts={"t": ["good film", "bad film", ""]}), Rows(texts={"t": ["good play"]})
    design = text_design(training, others)
    assert design is not None and design.training.shape == (3, 5) and design.others.getnnz() == 1
    assert text_design(Rows(texts={"t": ["", "."]}), others) is None
    assert tree_design(training, others) is None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baselines")
    train(load_spec(write_tables(folder), overrides=["train.epochs=3"]), folder / "run")
    return folder / "run"


def test_baselines_stand_beside_the_model_on_its_rows(run: Path) -> None:
    found = evaluate(run)
    told = [each.told for each in found.baselines["kind"]]
    assert told == [
        "majority class",
        "numbers + logistic regression",
        "gradient boosting",
        "linear probe (tuned features)",
        "10 nearest neighbours (tuned features)",
    ]
    for head, metric in (("kind", "accuracy"), ("size", "r2")):
        model = found.heads[head][metric]
        for each in found.baselines[head]:
            assert each.metrics[metric].n == each.gain.n == model.n
            assert each.gain.value == pytest.approx(model.value - each.metrics[metric].value, abs=1e-6)
            assert each.own == ("features" in each.told)
    # 96 rows, a quarter set aside; of `size` those with a label
    assert found.baselines["kind"][0].rows == 72 > found.baselines["size"][0].rows
    assert found.baselines["kind"][1].metrics["accuracy"].value > 0.9
    assert found.baselines["size"][1].metrics["r2"].value > 0.8


@pytest.mark.slow
def test_baselines_are_left_out_where_the_training_rows_are_gone_or_changed(run: Path, tmp_path: Path) -> None:
    table = run.parent / "train.csv"
    whole = table.read_text()
    try:
        table.write_text(whole + "1.0,0.5,2.0,high,1.0\n")
        found = evaluate(run)
        assert not found.baselines and any("no baselines: " in each for each in found.remarks)
        table.unlink()
        found = evaluate(run)
        assert not found.baselines and any("train.csv" in each for each in found.remarks)
        assert found.audit and not any(each.about == "baselines" for each in found.verdict)
    finally:
        table.write_text(whole)


@pytest.mark.parametrize(
    ("transfer", "told"),
    [("", "tuned features"), ("transfer: {policy: frozen}", "tuned features")],
)
def test_features_of_random_weights_are_tuned(tmp_path: Path, transfer: str, told: str) -> None:
    assert features_told(build(write_tables(tmp_path, f"{SPEC}{transfer}\n"))) == told


def test_features_that_training_left_alone_are_frozen(tmp_path: Path) -> None:
    spec = SPEC.replace("dropout: 0}}", "dropout: 0}, transfer: frozen}")
    model = build(write_tables(tmp_path, spec))
    assert features_told(model) == "frozen features"
    found = evaluate(model)
    assert not any(each.own for each in found.baselines["kind"])
