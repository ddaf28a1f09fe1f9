"""What every backbone of `zoo/` must hold: the contract, on tiny ones."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.plugins.core_backbones import TINY, build, make, values
from zoo import UsageError
from zoo.checkpoint.unallocated import Unallocated
from zoo.contract import Backbone, ValueSpec
from zoo.features import Features
from zoo_core.declarations.backbones import GRU, MLP, SequenceTransformer

every = pytest.mark.parametrize("name", TINY)


@every
def test_shapes_are_those_that_it_tells_on_no_memory_and_for_real(name: str) -> None:
    with torch.device("meta"):
        planned = build(name)
        planned_features = planned(planned.example(2))
    backbone = build(name)
    assert planned.features == backbone.features
    for features in (planned_features, backbone(backbone.example(2))):
        assert features.pooled.shape == (2, backbone.features.pooled_dim)
        assert features.tokens.shape == (2, backbone.features.tokens or 6, backbone.features.dim)
    assert planned_features.pooled.is_meta
    assert {key: each.shape for key, each in planned.state_dict().items()} == {
        key: each.shape for key, each in backbone.state_dict().items()
    }


@every
def test_masks_are_those_of_the_values(name: str) -> None:
    given = values(name)
    features = build(name)(given)
    if given.lengths is None:
        assert features.mask is None
    else:
        assert features.mask is not None
        assert features.mask.sum(1).tolist() == given.lengths.tolist()


@every
def test_weights_come_back_to_the_bit(name: str) -> None:
    backbone, given = build(name), values(name)
    expected = backbone(given)
    for parameter in backbone.parameters():
        parameter.data += 0.1  # unlike any that it starts with
    state = {key: tensor.clone() for key, tensor in backbone.state_dict().items()}
    with Unallocated():
        other = build(name)
    adapted = other.adapt(state)
    assert adapted.tensors.keys() == state.keys()
    other.load_state_dict(dict(adapted.tensors), assign=True)
    assert not torch.equal(backbone(given).pooled, expected.pooled)
    assert torch.equal(other(given).pooled, backbone(given).pooled)
    assert torch.equal(other(given).tokens, backbone(given).tokens)


@every
def test_groups_hold_every_tensor_once(name: str) -> None:
    backbone = build(name)
    groups = backbone.layer_groups()
    assert sorted(key for group in groups for key in group) == sorted(backbone.state_dict())
    assert all(groups)
    assert len(groups) == TINY[name][0].layers + ("transformer" in name)


@every
def test_the_last_stage_is_what_is_pooled(name: str) -> None:
    backbone, given = build(name), values(name)
    stages = backbone.stages(given)
    assert len(stages) == TINY[name][0].layers
    assert torch.equal(stages[-1], backbone(given).pooled)


@every
def test_a_stage_depends_on_the_layers_before_it_alone(name: str) -> None:
    backbone = build(name)
    groups, stages = backbone.layer_groups(), backbone.stages(values(name))
    ahead = len(groups) - len(stages)  # an embedding before the layers
    for depth, stage in enumerate(stages):
        backbone.zero_grad()
        torch.autograd.backward(stage.square().sum(), retain_graph=True)
        for group_depth, group in enumerate(groups):
            moved = [key for key in group if backbone.get_parameter(key).grad is not None]
            own = [key for key in moved if key.partition(".")[0] != "norm"]
            assert bool(own) == (group_depth <= depth + ahead), (depth, group)


@every
def test_values_need_no_preparation_and_workers_take_it_along(name: str) -> None:
    value = torch.randn(3)
    assert pickle.loads(pickle.dumps(build(name).prepare))(value) is value


@every
def test_dropout_acts_in_training_alone(name: str) -> None:
    given = values(name)

    def same(left: Features, right: Features) -> bool:
        return torch.equal(left.pooled, right.pooled) and torch.equal(left.tokens, right.tokens)

    backbone = build(name, dropout=0.5)
    expected = backbone(given)
    with torch.inference_mode():
        assert same(backbone(given), expected)
    backbone.train()
    assert not same(backbone(given), expected)
    assert same(build(name, dropout=0.0).train()(given), expected)


@every
def test_every_parameter_is_trained(name: str) -> None:
    backbone = build(name)
    features = backbone(values(name))
    (features.pooled.square().sum() + features.tokens.square().sum()).backward()
    for key, parameter in backbone.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.abs().sum() > 0, key


@every
def test_a_row_is_the_same_whoever_stands_beside_it(name: str) -> None:
    backbone, given = build(name), values(name)
    together = backbone(given)
    for row in range(len(given)):
        alone = backbone(given.rows(torch.tensor([row])))
        length = alone.tokens.shape[1]
        torch.testing.assert_close(alone.pooled[0], together.pooled[row], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(alone.tokens[0], together.tokens[row, :length], rtol=1e-5, atol=1e-6)


OPTIONS: list[tuple[str, str, Any, Callable[[Backbone], Any]]] = [
    ("mlp", "width", 6, lambda backbone: backbone.features.dim),
    ("mlp", "layers", 2, lambda backbone: len(backbone.layer_groups())),
    ("mlp", "activation", "tanh", lambda backbone: pooled(backbone, "mlp").tolist()),
    ("gru", "width", 6, lambda backbone: backbone.features.dim),
    ("gru", "layers", 3, lambda backbone: len(backbone.layer_groups())),
    ("gru", "bidirectional", False, lambda backbone: backbone.features.dim),
    ("sequence-transformer", "dim", 10, lambda backbone: backbone.features.dim),
    ("sequence-transformer", "layers", 2, lambda backbone: len(backbone.layer_groups())),
    ("sequence-transformer", "heads", 4, lambda backbone: pooled(backbone, "sequence-transformer").tolist()),
]


def pooled(backbone: Backbone, name: str) -> Tensor:
    torch.manual_seed(1)
    features: Features = backbone(values(name))
    return features.pooled


@pytest.mark.parametrize(("name", "option", "value", "seen"), OPTIONS)
def test_options_have_their_effect(name: str, option: str, value: Any, seen: Callable[[Backbone], Any]) -> None:
    assert seen(build(name, **{option: value})) != seen(build(name))


@pytest.mark.parametrize("options", [MLP(), GRU(), SequenceTransformer()])
def test_without_a_width_it_asks_for_the_data(options: Any) -> None:
    value = ValueSpec(modality="vector", shape=(None,))
    with pytest.raises(UsageError, match=r"learnt from the training rows: name them in `data.train`"):
        make(options, value)


@pytest.mark.filterwarnings("ignore:The tensor attributes:UserWarning")  # torch's own, about its GRU
@every
def test_it_can_be_exported(name: str) -> None:
    backbone, given = build(name), values(name)
    exported = torch.export.export(backbone, (given,)).module()
    torch.testing.assert_close(exported(given).pooled, backbone(given).pooled)
