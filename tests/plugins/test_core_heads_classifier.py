"""The classifier's layers, losses, and what it keeps of an earlier one."""

import copy
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.plugins.core_heads import WIDTH, learnt, make, outputs, reading, targets, trained
from zoo.checkpoint.unallocated import Unallocated
from zoo.contract import Head
from zoo_core.declarations.heads import Classifier

CELLS = ["a", "b", "b", "c"]
LABELS = [["a"], ["a", "b"], [], ["c", "b"]]


def classifier(**options: Any) -> Any:
    return trained(Classifier(**options), LABELS if options.get("multi_label") else CELLS)


def loss(head: Head, logits: Tensor) -> Any:
    return head.loss(logits, targets(head, LABELS if type(head).__name__ == "MultiLabel" else CELLS))


def test_one_layer_is_a_linear_layer_on_the_pooled_features() -> None:
    head = classifier()
    linear = nn.Linear(WIDTH, 3)
    linear.load_state_dict({"weight": head.state_dict()["output.weight"], "bias": head.state_dict()["output.bias"]})
    pooled = torch.randn(4, WIDTH)
    assert torch.equal(head(reading(pooled)), linear(pooled))
    assert set(head.state_dict()) == {"output.weight", "output.bias", "temperature"}


@pytest.mark.parametrize("activation", ["gelu", "relu", "silu", "tanh"])
def test_layers_and_activation(activation: Any) -> None:
    head = classifier(layers=3, activation=activation)
    pooled = torch.randn(4, WIDTH)
    nonlinear = {"gelu": nn.functional.gelu, "relu": torch.relu, "silu": nn.functional.silu, "tanh": torch.tanh}
    first, second, last = (each for each in head.modules() if isinstance(each, nn.Linear))
    expected = last(nonlinear[activation](second(nonlinear[activation](first(pooled)))))
    torch.testing.assert_close(head(reading(pooled)), expected)


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_is_before_each_layer_in_training(layers: int) -> None:
    head = classifier(layers=layers, dropout=0.5)
    pooled = torch.ones(1000, WIDTH)
    assert torch.equal(outputs(head), outputs(classifier(layers=layers)))
    read: list[Tensor] = []
    for each in head.modules():
        if isinstance(each, nn.Linear):
            each.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    head.train()(reading(pooled))
    assert len(read) == layers
    assert all(0.4 < float((each == 0).float().mean()) < 0.6 for each in read)


@pytest.mark.parametrize("multi_label", [False, True])
def test_every_parameter_learns(multi_label: bool) -> None:
    head = classifier(layers=2, multi_label=multi_label)
    loss(head, outputs(head)).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in head.parameters())


def test_loss_is_the_cross_entropy() -> None:
    head = classifier()
    logits = outputs(head)
    shares = logits.softmax(1)
    expected = -(shares[0, 0] * shares[1, 1] * shares[2, 1] * shares[3, 2]).log() / 4
    torch.testing.assert_close(loss(head, logits), expected)


def test_label_smoothing_spreads_a_share_of_each_label() -> None:
    logits = outputs(classifier())
    smooth = torch.full((4, 3), 0.3 / 3)
    smooth[range(4), [0, 1, 1, 2]] += 0.7
    expected = -(smooth * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss(classifier(label_smoothing=0.3), logits), expected)


def test_balanced_classes_weigh_the_same() -> None:
    logits = outputs(classifier())
    costs = -logits.log_softmax(1)[range(4), [0, 1, 1, 2]]
    expected = (costs[0] + (costs[1] + costs[2]) / 2 + costs[3]) / 3
    torch.testing.assert_close(loss(classifier(class_weights="balanced"), logits), expected)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    cells = ["a"] * 7 + ["b"] * 2 + ["c"]
    expected = compute_class_weight("balanced", classes=np.unique(cells), y=cells)
    head: Any = trained(Classifier(class_weights="balanced"), cells)
    assert head.weights.tolist() == pytest.approx(expected)


def test_a_class_without_training_rows_has_a_finite_weight() -> None:
    head = trained(Classifier(classes=["a", "b", "never"], class_weights="balanced"), ["a", "b"])
    assert head.loss(outputs(head), targets(head, ["a", "never", "b", "b"])).isfinite()


def test_loss_of_labels_is_the_binary_cross_entropy() -> None:
    head = classifier(multi_label=True)
    logits = outputs(head)
    truth = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1]])
    chances = logits.sigmoid()
    expected = -(truth * chances.log() + (1 - truth) * (1 - chances).log()).mean()
    torch.testing.assert_close(loss(head, logits), expected)


def test_balanced_labels_weigh_their_rows_like_the_others() -> None:
    logits = torch.zeros(4, 3)
    head = classifier(multi_label=True, class_weights="balanced")
    logits.requires_grad_()
    loss(head, logits).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad.sum(0), torch.zeros(3))  # at even chances the two sides hold each other


@pytest.mark.parametrize("multi_label", [False, True])
def test_labels_that_all_or_no_rows_have_keep_finite_weights(multi_label: bool) -> None:
    fitted = {"classes": ["every", "never"], "counts": [3, 0], "rows": 3}
    head: Any = make(Classifier(multi_label=multi_label, class_weights="balanced"), fitted)
    assert head.weights.isfinite().all()
    assert (head.weights > 0).all()


def earlier(*classes: str, layers: int = 2, width: int = WIDTH) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The state of an earlier head, and what it had learnt."""
    options = Classifier(layers=layers)
    fitted = learnt(options, classes)
    head = make(options, fitted, width)
    return {name: torch.randn_like(tensor) for name, tensor in head.state_dict().items()}, fitted


def later(*classes: str) -> Head:
    return trained(Classifier(layers=2, classes=list(classes)), [])


def test_rows_of_shared_classes_are_kept() -> None:
    state, fitted = earlier("a", "b", "c")
    head = later("c", "new", "a")
    fresh = copy.deepcopy(head.state_dict())
    adapted = head.adapt(state, fitted)
    for name in ("output.weight", "output.bias"):
        old, new = state[name], adapted.tensors[name]
        assert torch.equal(new, torch.stack([old[2], fresh[name][1], old[0]]))
        assert adapted.resized[name] == "2 of 3 classes kept: c, a"
    assert set(adapted.resized) == {"output.weight", "output.bias"}
    assert all(adapted.tensors[name] is state[name] for name in state if name.startswith("hidden"))
    assert adapted.unused == []
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in head.state_dict().items())
    assert head.load_state_dict(dict(adapted.tensors), strict=False).missing_keys == ["temperature"]


def test_rows_are_kept_in_the_precision_of_the_head() -> None:
    state, fitted = earlier("a", "b")
    half = {name: tensor.half() for name, tensor in state.items()}
    kept = later("b", "new").adapt(half, fitted).tensors["output.weight"]
    assert torch.equal(kept[0], half["output.weight"][1].float())


def test_the_same_classes_are_kept_without_a_copy() -> None:
    state, fitted = earlier("a", "b", "c")
    adapted = later("a", "b", "c").adapt(state, fitted)
    assert all(adapted.tensors[name] is tensor for name, tensor in state.items())
    assert not adapted.resized


def test_other_classes_of_the_same_number_are_not_taken_for_the_same() -> None:
    state, fitted = earlier("a", "b", "c")
    adapted = later("x", "y", "z").adapt(state, fitted)
    assert set(adapted.tensors) == {name for name in state if name.startswith("hidden")}
    assert set(adapted.unused) == {"output.weight", "output.bias"}


def test_layers_of_another_width_are_not_kept() -> None:
    state, fitted = earlier("a", "b", width=WIDTH + 1)
    for classes in (["a", "b"], ["a", "c"]):
        adapted = later(*classes).adapt(state, fitted)
        assert "output.weight" not in adapted.tensors
        assert "output.weight" in adapted.unused


def test_a_head_that_was_no_classifier_gives_its_hidden_layers() -> None:
    state, _ = earlier("a", "b")
    adapted = later("a", "b").adapt({**state, "scale": torch.ones(1)}, {})
    assert set(adapted.tensors) == {name for name in state if name.startswith("hidden")}
    assert "scale" in adapted.unused


def test_what_is_kept_is_known_without_memory() -> None:
    state, fitted = earlier("a", "b", "c")
    with torch.device("meta"):
        head = later("c", "new", "a")
    for tensors in (state, {name: tensor.to("meta") for name, tensor in state.items()}):
        adapted = head.adapt(tensors, fitted)
        assert adapted.tensors["output.weight"].shape == (3, WIDTH)
        assert adapted.resized["output.bias"] == "2 of 3 classes kept: c, a"


@pytest.mark.parametrize(
    "options", [{}, {"class_weights": "balanced"}, {"class_weights": "balanced", "multi_label": True}]
)
def test_saved_tensors_and_what_was_learnt_are_all_of_it(options: Any) -> None:
    given = Classifier(layers=2, **options)
    fitted = learnt(given, LABELS if options.get("multi_label") else CELLS)
    head = make(given, fitted)
    assert set(head.state_dict()) == {"temperature", *(name for name, _ in head.named_parameters())}
    with Unallocated():
        restored = make(given, json.loads(json.dumps(fitted)))
    restored.load_state_dict(head.state_dict(), assign=True)
    assert torch.equal(outputs(head), outputs(restored))
    assert torch.equal(loss(head, outputs(head)), loss(restored, outputs(restored)))
    assert head.decode(outputs(head)) == restored.decode(outputs(restored))


def test_shapes_are_the_same_without_memory() -> None:
    with torch.device("meta"):
        head = classifier(class_weights="balanced", layers=2)
        logits = head(reading(torch.empty(4, WIDTH)))
        assert loss(head, logits).shape == ()
    assert all(tensor.is_meta for tensor in head.state_dict().values())
    assert logits.shape == (4, 3)


@pytest.mark.parametrize("multi_label", [False, True])
def test_classifiers_can_be_exported(multi_label: bool) -> None:
    head = classifier(layers=2, multi_label=multi_label)
    read = reading(torch.randn(3, WIDTH))
    exported = torch.export.export(head, (read,)).module()
    torch.testing.assert_close(exported(read), head(read))
