"""Shapes, formulas and options of the fusions."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.plugins.core_fusions import SHAPES, TINY, TOKENS, build, features, make, masked, without
from zoo.checkpoint.unallocated import Unallocated
from zoo.component import FeatureSpec
from zoo.contract import Fusion
from zoo.features import Features

POOLED = [name for name in TINY if not name.startswith("token")]


def projected(fusion: Any, inputs: dict[str, Features]) -> list[Tensor]:
    """Pooled features through the linear layer and the norm of their input, written out."""
    result = []
    for (linear, norm), each in zip(fusion.projections.layers, inputs.values(), strict=True):
        linear_out = each.pooled @ linear.weight.T + linear.bias
        centred = linear_out - linear_out.mean(1, keepdim=True)
        scaled = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
        result.append(scaled * norm.weight + norm.bias)
    return result


@pytest.mark.parametrize("name", TINY)
def test_shapes_are_those_that_were_told(name: str) -> None:
    fused = build(name)(features(2))
    told = build(name).features
    assert (fused.tokens.shape[0], fused.tokens.shape[2], fused.pooled.shape) == (2, told.dim, (2, told.pooled_dim))
    assert told.tokens in (None, fused.tokens.shape[1])
    assert fused.mask is None or fused.mask.shape == fused.tokens.shape[:2]


def test_tokens_are_counted_where_all_inputs_know_theirs() -> None:
    known = {name: shape for name, shape in SHAPES.items() if shape.tokens}
    assert build("token-transformer").features.tokens is None
    assert build("token-transformer", known).features.tokens == 5
    assert build("token-transformer of pooled").features.tokens == 3
    assert all(build(name).features.tokens == 1 for name in POOLED)


def test_concat_mixes_what_is_there_and_learnt_vectors_for_what_is_not() -> None:
    fusion: Any = build("concat")
    inputs = features(2)
    one, _, three = projected(fusion, inputs)
    missing = fusion.missing[1].expand(2, -1)
    expected = torch.cat([one, missing, three], 1) @ fusion.mixing.weight.T + fusion.mixing.bias
    torch.testing.assert_close(fusion(without(inputs, "review")).pooled, expected)


def test_late_is_the_mean_by_learnt_weights_of_those_present() -> None:
    fusion: Any = build("late")
    inputs = features(2)
    one, _, three = projected(fusion, inputs)
    first, _, third = fusion.scores.exp().tolist()
    expected = (first * one + third * three) / (first + third)
    torch.testing.assert_close(fusion(without(inputs, "review")).pooled, expected)


def test_late_without_learning_is_the_plain_mean_and_has_nothing_to_learn() -> None:
    fusion = build("late of equal weights")
    inputs = features(2)
    one, _, three = projected(fusion, inputs)
    torch.testing.assert_close(fusion(without(inputs, "review")).pooled, (one + three) / 2)
    assert set(fusion.state_dict()) == set(build("late").state_dict()) - {"scores"}


def test_late_starts_with_equal_weights() -> None:
    assert torch.equal(make("late")(features(2)).pooled, make("late of equal weights")(features(2)).pooled)


def test_gates_of_two_inputs_are_the_sigmoid_of_the_paper() -> None:
    two = {name: SHAPES[name] for name in ("photo", "review")}
    fusion: Any = build("gated", two)
    inputs = features(3, shapes=two)
    one, other = projected(fusion, inputs)
    weight = fusion.gates.weight[:8] - fusion.gates.weight[8:]
    gate = torch.sigmoid(torch.cat([one, other], 1) @ weight.T)
    torch.testing.assert_close(fusion(inputs).pooled, gate * one.tanh() + (1 - gate) * other.tanh())


def test_gates_of_the_present_inputs_sum_to_one_in_every_dimension() -> None:
    fusion: Any = build("gated")
    inputs = features(3)
    one, _, three = projected(fusion, inputs)
    scores = torch.cat([one, torch.zeros_like(one), three], 1) @ fusion.gates.weight.T
    gates = torch.stack([scores[:, :8], scores[:, 16:]]).softmax(0)
    expected = gates[0] * one.tanh() + gates[1] * three.tanh()
    torch.testing.assert_close(fusion(without(inputs, "review")).pooled, expected)


def test_token_transformer_is_torchs_encoder_over_marked_tokens() -> None:
    fusion: Any = build("token-transformer")
    masks = {name: torch.arange(count) < torch.tensor([[count], [count // 2]]) for name, count in TOKENS.items()}
    inputs = masked(features(2), masks)
    marked = [
        layer(each.tokens) + kind
        for layer, kind, each in zip(fusion.projections, fusion.types, inputs.values(), strict=True)
    ]
    tokens = torch.cat([fusion.summary.expand(2, 1, 8), *marked], 1)
    padding = ~torch.cat([torch.ones(2, 1, dtype=torch.bool), *masks.values()], 1)
    for block in fusion.layers:
        tokens = reference_layer(block)(tokens, src_key_padding_mask=padding)
    tokens = fusion.norm(tokens)
    fused = fusion(inputs)
    torch.testing.assert_close(fused.pooled, tokens[:, 0])
    torch.testing.assert_close(fused.tokens, tokens[:, 1:])
    assert torch.equal(fused.mask, ~padding[:, 1:])


def reference_layer(block: Any) -> nn.Module:
    """torch's own layer with the weights of ours."""
    layer = nn.TransformerEncoderLayer(8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True)
    pairs = {
        layer.self_attn.in_proj_weight: block.qkv.weight,
        layer.self_attn.in_proj_bias: block.qkv.bias,
        **pairs_of(layer.self_attn.out_proj, block.projection),
        **pairs_of(layer.norm1, block.attention_norm),
        **pairs_of(layer.norm2, block.mlp_norm),
        **pairs_of(layer.linear1, block.mlp[0]),
        **pairs_of(layer.linear2, block.mlp[2]),
    }
    for own, ours in pairs.items():
        own.data.copy_(ours.data)
    return layer  # in training mode, whose code is the plain one; its dropout is 0


def pairs_of(one: Any, other: Any) -> dict[Tensor, Tensor]:
    return {one.weight: other.weight, one.bias: other.bias}


def test_reading_pooled_features_is_reading_them_as_single_tokens() -> None:
    fusion = build("token-transformer of pooled")
    single = {name: FeatureSpec(dim=each.pooled_dim, pooled_dim=1, tokens=1) for name, each in SHAPES.items()}
    other = build("token-transformer of pooled", single, reads="tokens")
    other.load_state_dict(fusion.state_dict())
    inputs = without(features(2), "review")
    tokens = {
        name: Features(each.pooled[:, None], torch.zeros(2, 1), each.present[:, None]) for name, each in inputs.items()
    }
    assert torch.equal(fusion(inputs).pooled, other(tokens).pooled)


@pytest.mark.parametrize("name", ["late", "late of equal weights", "gated"])
def test_a_sum_over_no_input_is_zero(name: str) -> None:
    assert not build(name)(without(features(2), *TOKENS)).pooled.any()


@pytest.mark.parametrize("name", TINY)
def test_the_order_is_that_of_the_spec(name: str) -> None:
    fusion, inputs = build(name), features(2)
    backwards = dict(reversed(inputs.items()))
    assert torch.equal(fusion(inputs).pooled, fusion(backwards).pooled)
    assert torch.equal(fusion(inputs).tokens, fusion(backwards).tokens)


@pytest.mark.parametrize("name", TINY)
def test_every_parameter_learns_when_all_inputs_are_present(name: str) -> None:
    fusion = make(name)
    (fusion(features(4)).pooled * torch.randn(4, 8)).sum().backward()
    idle = {each for each, parameter in fusion.named_parameters() if parameter.grad is None or not parameter.grad.any()}
    assert idle == ({"missing"} if name == "concat" else set())


def test_missing_vectors_learn_where_their_input_is_absent() -> None:
    fusion: Any = make("concat")
    fusion(without(features(2), "review")).pooled.square().sum().backward()
    assert fusion.missing.grad.any(1).tolist() == [False, True, False]


@pytest.mark.parametrize("name", TINY)
def test_dim_is_the_width_of_the_result(name: str) -> None:
    fused = build(name, dim=24)(features(2))
    assert (fused.pooled.shape[1], fused.tokens.shape[2]) == (24, 24)


@pytest.mark.parametrize("name", [name for name in TINY if not name.startswith("late")])
def test_dropout_is_in_training_alone(name: str) -> None:
    inputs = features(2)
    fusion, without_dropout = build(name, dropout=0.5), build(name, dropout=0.0)
    assert torch.equal(fusion(inputs).pooled, without_dropout(inputs).pooled)
    assert torch.equal(without_dropout(inputs).pooled, without_dropout.train()(inputs).pooled)
    fusion.train()
    assert not torch.equal(fusion(inputs).pooled, fusion(inputs).pooled)


@pytest.mark.parametrize("changed", [{"layers": 1}, {"heads": 4}], ids=str)
def test_layers_and_heads_shape_the_transformer(changed: Any) -> None:
    one, other = build("token-transformer"), build("token-transformer", **changed)
    assert not torch.allclose(one(features(2)).pooled, other(features(2)).pooled)


@pytest.mark.parametrize("name", TINY)
def test_one_input_and_many_inputs_can_be_fused(name: str) -> None:
    shape = {"photo": SHAPES["photo"]}
    assert build(name, shape)(features(2, shapes=shape)).pooled.shape == (2, 8)
    many = {f"sensor{number}": SHAPES["values"] for number in range(9)}
    inputs = {each: Features(torch.randn(2, 1, 3), torch.randn(2, 3)) for each in many}
    assert build(name, many)(inputs).pooled.shape == (2, 8)


@pytest.mark.parametrize("name", TINY)
def test_shapes_are_the_same_without_memory(name: str) -> None:
    with torch.device("meta"):
        fusion = make(name)
        inputs = {
            each: Features(torch.empty(2, TOKENS[each], shape.dim), torch.empty(2, shape.pooled_dim))
            for each, shape in SHAPES.items()
        }
        planned = fusion(inputs)
    real = build(name)(features(2))
    assert all(tensor.is_meta for tensor in fusion.state_dict().values())
    assert (planned.tokens.shape, planned.pooled.shape) == (real.tokens.shape, real.pooled.shape)
    own = make(name).state_dict()
    assert {each: tensor.shape for each, tensor in fusion.state_dict().items()} == {
        each: tensor.shape for each, tensor in own.items()
    }


@pytest.mark.parametrize("name", TINY)
def test_saved_tensors_are_all_of_it(name: str) -> None:
    fusion = build(name)
    with Unallocated():
        restored = make(name)
    restored.load_state_dict(fusion.state_dict(), assign=True)
    assert same(fusion, restored.eval())


@pytest.mark.parametrize("name", TINY)
def test_fusions_can_be_copied_and_pickled(name: str) -> None:
    fusion = build(name)
    assert same(fusion, copy.deepcopy(fusion))
    assert same(fusion, pickle.loads(pickle.dumps(fusion)))


def same(one: Fusion, other: Fusion) -> bool:
    inputs = without(features(2), "review")
    return torch.equal(one(inputs).pooled, other(inputs).pooled) and torch.equal(
        one(inputs).tokens, other(inputs).tokens
    )


@pytest.mark.parametrize("name", TINY)
def test_fusions_can_be_exported_for_any_number_of_rows(name: str) -> None:
    fusion, inputs = build(name), without(features(3), "review")
    rows = {0: torch.export.Dim.AUTO}
    shapes = {each: [rows, rows, rows, ()] for each in inputs}
    exported = torch.export.export(fusion, (inputs,), dynamic_shapes=(shapes,)).module()
    others = without(features(7), "photo")
    torch.testing.assert_close(exported(others).pooled, fusion(others).pooled)
