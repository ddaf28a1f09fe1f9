"""What `zoo eval` tells beside the quick metrics is what scikit-learn, torchmetrics and scipy tell."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as known
from torch import Tensor

from tests.plugins.core_heads import make
from zoo.contract import Head, Metric
from zoo_core.declarations.heads import Classifier, Regressor

SINGLE = make(Classifier(classes=list("abcd")))
MULTI = make(Classifier(classes=list("abcd"), multi_label=True))
NUMERIC = make(Regressor(standardize=False, columns=["x", "y"]))
SENTIMENT = make(Regressor(standardize=False, sentiment=True))
HEADS = {"single": SINGLE, "multi": MULTI, "numeric": NUMERIC, "sentiment": SENTIMENT}


def drawn(kind: str, count: int = 80, seed: int = 0) -> Mapping[str, Any]:
    """Rows of a head, with ties among scores and numbers, and missing numbers."""
    generator = torch.Generator().manual_seed(seed)
    if kind in ("single", "multi"):
        outputs = (torch.randn(count, 4, generator=generator) * 2).round(decimals=1)
        labels = torch.randint(4, (count,), generator=generator)
        true = labels if kind == "single" else (torch.rand(count, 4, generator=generator) < 0.3).float()
        return HEADS[kind].all_rows(outputs, true)
    columns = 2 if kind == "numeric" else 1
    truth = (torch.randn(count, columns, generator=generator) * 2).round(decimals=1)
    outputs = truth + torch.randn(count, columns, generator=generator).round(decimals=1)
    if kind == "numeric":
        truth[3, 0] = truth[7, 1] = torch.nan
    else:
        truth[::9] = 0
    return HEADS[kind].all_rows(outputs, truth)


def told(head: Head, rows: Mapping[str, Any]) -> dict[str, float]:
    return {name: metric.compute(rows) for name, metric in head.all_metrics().items()}


def test_metrics_of_classes() -> None:
    rows = drawn("single")
    true, predicted, shares = rows["true"].numpy(), rows["predicted"].numpy(), rows["scores"].exp().numpy()
    assert told(SINGLE, rows) == pytest.approx(
        {
            "accuracy": known.accuracy_score(true, predicted),
            "macro_f1": known.f1_score(true, predicted, average="macro"),
            "balanced_accuracy": known.balanced_accuracy_score(true, predicted),
            "micro_f1": known.f1_score(true, predicted, average="micro"),
            "matthews": known.matthews_corrcoef(true, predicted),
            "auroc": known.roc_auc_score(true, shares, multi_class="ovr"),
            "average_precision": known.average_precision_score(np.eye(4)[true], shares, average="macro"),
            "log_loss": known.log_loss(true, shares),
            "brier": np.square(shares - np.eye(4)[true]).sum(1).mean(),
            "calibration_error": calibration(rows),
        }
    )


def calibration(rows: Mapping[str, Tensor]) -> float:
    """Guo et al. 2017, equation 3."""
    confidence, told = rows["scores"].exp().max(1)
    right = (told == rows["true"]).double()
    inside = [(confidence > low / 15) & (confidence <= (low + 1) / 15) for low in range(15)]
    gaps = [float(abs(confidence[each].mean() - right[each].mean()) * each.sum()) for each in inside if each.any()]
    return sum(gaps) / len(right)


@pytest.mark.slow
def test_the_calibration_error_is_that_of_torchmetrics() -> None:
    from torchmetrics.functional.classification import multiclass_calibration_error

    rows = drawn("single", 300)
    expected = float(multiclass_calibration_error(rows["scores"].exp(), rows["true"], 4, n_bins=15, norm="l1"))
    assert SINGLE.all_metrics()["calibration_error"].compute(rows) == pytest.approx(expected)


def test_two_classes_have_the_area_of_either() -> None:
    rows = {"true": torch.tensor([0, 1, 1, 0, 1]), "scores": torch.randn(5, 2).double().log_softmax(1)}
    area = SINGLE.all_metrics()["auroc"].compute(rows)
    assert area == pytest.approx(known.roc_auc_score(rows["true"], rows["scores"][:, 1]))


def test_metrics_of_labels() -> None:
    rows = drawn("multi")
    true, predicted, scores = (rows[key].numpy() for key in ("true", "predicted", "scores"))
    assert told(MULTI, rows) == pytest.approx(
        {
            "macro_f1": known.f1_score(true, predicted, average="macro"),
            "micro_f1": known.f1_score(true, predicted, average="micro"),
            "exact_match": known.accuracy_score(true, predicted),
            "hamming": known.hamming_loss(true, predicted),
            "auroc": known.roc_auc_score(true, scores, average="macro"),
            "mean_average_precision": known.average_precision_score(true, scores, average="macro"),
        }
    )


def test_metrics_of_numbers() -> None:
    rows = drawn("numeric")
    pairs = [
        (rows["true"][kept, column].numpy(), rows["predicted"][kept, column].numpy())
        for column in range(2)
        for kept in [~rows["true"][:, column].isnan()]
    ]

    def mean(function: Any) -> float:
        return float(np.mean([function(*pair) for pair in pairs]))

    assert told(NUMERIC, rows) == pytest.approx(
        {
            "r2": mean(known.r2_score),
            "mae": mean(known.mean_absolute_error),
            "rmse": mean(known.root_mean_squared_error),
            "pearson": mean(lambda a, b: stats.pearsonr(a, b).statistic),
            "spearman": mean(lambda a, b: stats.spearmanr(a, b).statistic),
        }
    )


def test_metrics_of_sentiments() -> None:
    rows = drawn("sentiment")
    true, predicted = rows["true"][:, 0].numpy(), rows["predicted"][:, 0].numpy()
    kept = true != 0
    found = told(SENTIMENT, rows)
    expected = {
        "acc2_non_negative": known.accuracy_score(true >= 0, predicted >= 0),
        "f1_non_negative": known.f1_score(true >= 0, predicted >= 0, average="weighted"),
        "acc2_positive": known.accuracy_score(true[kept] > 0, predicted[kept] > 0),
        "f1_positive": known.f1_score(true[kept] > 0, predicted[kept] > 0, average="weighted"),
        "acc7": known.accuracy_score(np.round(np.clip(true, -3, 3)), np.round(np.clip(predicted, -3, 3))),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["acc2_non_negative"] != found["acc2_positive"]
    assert "acc7" not in NUMERIC.all_metrics()


def test_sentiments_are_of_one_number() -> None:
    with pytest.raises(ValueError, match="`sentiment` is of one number"):
        Regressor(columns=["x", "y"], sentiment=True)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_metrics_of_each_class(kind: str) -> None:
    rows, head = drawn(kind, 30), HEADS[kind]
    true, predicted = rows["true"].numpy(), rows["predicted"].numpy()
    parts = known.precision_recall_fscore_support(true, predicted, labels=range(4), zero_division=0)
    for number, (name, metrics) in enumerate(head.class_metrics().items()):
        assert name == "abcd"[number]
        values = [metrics[key].compute(rows) for key in ("precision", "recall", "f1")]
        assert values == pytest.approx([part[number] for part in parts[:3]])
        share = metrics["recall"].share
        assert share is not None and int(share(rows)[1].sum()) == parts[3][number]


def test_the_confusion_of_classes() -> None:
    rows = drawn("single")
    table = SINGLE.confusion(rows)
    assert table is not None and table["classes"] == list("abcd")
    assert table["counts"] == known.confusion_matrix(rows["true"], rows["predicted"]).tolist()
    assert MULTI.confusion(drawn("multi")) is None
    many = make(Classifier(classes=[f"c{number}" for number in range(201)]))
    assert many.confusion(rows) is None


def all_metrics(head: Head) -> dict[str, Metric]:
    inside = {f"{name} {key}": each for name, part in head.class_metrics().items() for key, each in part.items()}
    return {**head.all_metrics(), **inside}


@settings(deadline=None, max_examples=10)
@given(st.sampled_from(list(HEADS)), st.integers(3, 30), st.integers(0, 1000))
def test_weights_are_rows_drawn_so_often(kind: str, count: int, seed: int) -> None:
    """Every metric of resamples by weights is the metric of the rows that were drawn."""
    rows, generator = drawn(kind, max(8, count), seed), torch.Generator().manual_seed(seed)
    size = len(rows["true"])
    weights = torch.randint(4, (size, 3), generator=generator).double()
    weights[0] += 1
    for name, metric in all_metrics(HEADS[kind]).items():
        assert metric.weighted is not None
        bound = metric.weighted(rows)
        assert bound is not None
        index = [torch.arange(size).repeat_interleave(column.long()) for column in weights.T]
        expected = [metric.compute({key: each[places] for key, each in rows.items()}) for places in index]
        found = bound(weights).tolist()
        assert found == pytest.approx(expected, nan_ok=True, abs=1e-9), name
        if metric.share is not None:
            right, among = metric.share(rows)
            share = float((right & among).sum() / among.sum())
            expected_share = share if metric.of_share is None else metric.of_share(share)
            assert metric.compute(rows) == pytest.approx(expected_share, nan_ok=True), name


def test_what_has_no_value_is_no_number_and_says_why() -> None:
    one = SINGLE.all_rows(torch.randn(5, 4), torch.zeros(5, dtype=torch.long))
    assert np.isnan(SINGLE.all_metrics()["auroc"].compute(one))
    assert SINGLE.all_metrics()["auroc"].undefined == "only one class occurs"
    assert np.isnan(SINGLE.all_metrics()["matthews"].compute(one))
    none = MULTI.all_rows(torch.randn(5, 4), torch.zeros(5, 4))
    assert np.isnan([MULTI.all_metrics()[name].compute(none) for name in ("auroc", "mean_average_precision")]).all()
    constant = NUMERIC.all_rows(torch.ones(5, 2), torch.rand(5, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan([NUMERIC.all_metrics()[name].compute(constant) for name in ("pearson", "spearman")]).all()
    assert all(each.undefined and each.doc for head in HEADS.values() for each in all_metrics(head).values())


def test_the_order_of_too_many_scores_is_not_resampled() -> None:
    rows = {"true": torch.zeros(1001, dtype=torch.long), "scores": torch.zeros(1001, 1000)}
    weighted = SINGLE.all_metrics()["auroc"].weighted
    assert weighted is not None and weighted(rows) is None


def test_probabilities_are_better_the_less_they_are_off() -> None:
    lower = {name for name, metric in SINGLE.all_metrics().items() if not metric.higher}
    assert lower == {"log_loss", "brier", "calibration_error"}
    assert {name for name, metric in MULTI.all_metrics().items() if not metric.higher} == {"hamming"}
