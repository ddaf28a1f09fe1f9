"""Temperature scaling of classifiers, against scipy; what it does to probabilities, and never to labels."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from tests.plugins.core_heads import outputs, trained
from zoo_core.declarations.heads import Classifier
from zoo_core.heads.temperature import temperature_of_choice, temperature_of_labels


def overconfident(rows: int, classes: int, times: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits that say `times` too much of classes that were drawn by their softmax."""
    generator = torch.Generator().manual_seed(seed)
    honest = torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    true = torch.multinomial(honest.softmax(1), 1, generator=generator).squeeze(1)
    return honest * times, true


def expected_calibration_error(shares: Tensor, true: Tensor, bins: int = 15) -> float:
    """Guo et al. 2017, equation 3."""
    sure, predicted = shares.max(1)
    number = (sure * bins).long().clamp(max=bins - 1)
    gaps = [
        float((sure - (predicted == true).double())[number == each].mean().abs())
        * float((number == each).double().mean())
        for each in range(bins)
        if bool((number == each).any())
    ]
    return sum(gaps)


@pytest.mark.parametrize("times", [0.2, 1.0, 3.0, 40.0])
def test_the_temperature_of_a_choice_is_that_of_scipy(times: float) -> None:
    logits, true = overconfident(200, 5, times)
    found = minimize_scalar(
        lambda log: float(F.cross_entropy(logits / np.exp(log), true)),
        bounds=(-8, 8),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert temperature_of_choice(logits, true) == pytest.approx(float(np.exp(found.x)), rel=1e-5)


@pytest.mark.parametrize("times", [0.2, 1.0, 3.0, 40.0])
def test_the_temperature_of_labels_is_that_of_scipy(times: float) -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(200, 5, generator=generator, dtype=torch.float64)
    true = torch.bernoulli(honest.sigmoid(), generator=generator)
    logits = honest * times
    found = minimize_scalar(
        lambda log: float(F.binary_cross_entropy_with_logits(logits / np.exp(log), true)),
        bounds=(-8, 8),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert temperature_of_labels(logits, true.bool()) == pytest.approx(float(np.exp(found.x)), rel=1e-5)


def test_probabilities_of_rows_held_out_are_nearer_to_the_truth() -> None:
    """As many times too sure, so large a temperature: the error of calibration falls to that of honest logits."""
    temperature = temperature_of_choice(*overconfident(1000, 5, 4.0))
    assert temperature == pytest.approx(4.0, rel=0.2)
    logits, true = overconfident(4000, 5, 4.0, seed=1)
    before, after = (expected_calibration_error((logits / each).softmax(1), true) for each in (1.0, temperature))
    assert before > 0.2
    assert after < 0.03


ROWS = torch.tensor([[1.0, -1.0], [2.0, 1.0], [-1.0, 0.0]])


@pytest.mark.parametrize(
    ("fit", "true", "told"),
    [
        (temperature_of_choice, torch.tensor([0, 0, 0]), "one class"),
        (temperature_of_choice, torch.tensor([0, 0, 1]), "every one of them is recognised"),
        (temperature_of_choice, torch.tensor([1, 1, 0]), "no better than chance"),
        (temperature_of_labels, torch.zeros(3, 2).bool(), "the same labels"),
        (temperature_of_labels, torch.ones(3, 2).bool(), "the same labels"),
        (temperature_of_labels, ROWS >= 0, "every label of them is recognised"),
        (temperature_of_labels, ROWS < 0, "no better than chance"),
    ],
)
def test_rows_that_do_not_tell_it_are_refused(fit: Any, true: Tensor, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fit(ROWS, true)


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no better than chance"):
        temperature_of_choice(ROWS * torch.nan, torch.tensor([0, 1, 1]))


@pytest.mark.parametrize("multi_label", [False, True])
@given(temperature=st.floats(1e-3, 1e6))
def test_no_temperature_changes_a_label(multi_label: bool, temperature: float) -> None:
    head: Any = trained(Classifier(multi_label=multi_label), [["a"], ["b", "c"]] if multi_label else ["a", "b", "c"])
    logits = outputs(head, rows=16)
    key = "labels" if multi_label else "label"
    before = [each[key] for each in head.decode(logits)]
    head.temperature.fill_(temperature)
    assert [each[key] for each in head.decode(logits)] == before


def test_the_temperature_is_in_probabilities_and_not_in_the_loss() -> None:
    head: Any = trained(Classifier(), ["a", "b", "c"])
    logits, true = outputs(head), torch.tensor([0, 1, 2, 0])
    before = head.loss(logits, true)
    head.temperature.fill_(2.5)
    assert torch.equal(head.loss(logits, true), before)
    shares = (logits.double() / 2.5).softmax(1)
    assert [list(each["probabilities"].values()) for each in head.decode(logits)] == shares.tolist()
    assert [each["probability"] for each in head.decode(logits)] == shares.amax(1).tolist()


def test_a_head_for_other_classes_starts_without_one() -> None:
    head: Any = trained(Classifier(classes=["a", "b"]), ["a", "b"])
    state = {**head.state_dict(), "temperature": torch.tensor(3.0)}
    assert head.adapt(state, {"classes": ["a", "b"]}).tensors["temperature"] == 3.0
    other = head.adapt(state, {"classes": ["a", "c"]})
    assert "temperature" not in other.tensors and "temperature" not in other.unused
