"""The backbones compute what they say: against torch's own layers, and numbers worked out by hand."""

from math import cos, sin

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.plugins.core_backbones import build, make
from zoo.contract import ValueSpec
from zoo.features import Values
from zoo_core.backbones.sequence_transformer import SequenceEncoder, sinusoids
from zoo_core.declarations.backbones import GRU, MLP

NAN = float("nan")
PADDED = Values(torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([6, 1, 3, 5]))


def test_a_column_adds_a_multiple_of_its_vector_or_the_vector_of_its_category() -> None:
    value = ValueSpec(modality="vector", shape=(3,), categories=(0, 3, 0))
    backbone = make(MLP(width=2, layers=1, activation="relu"), value)
    state = {
        "layers.0.0.numbers.weight": torch.tensor([[1.0, 10.0], [2.0, 20.0]]),
        "layers.0.0.numbers.bias": torch.tensor([100.0, 0.0]),
        "layers.0.0.categories.weight": torch.tensor([[1.0, 1.0], [3.0, 4.0], [5.0, 6.0]]),
        "layers.0.0.missing": torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, -99.0]]),
    }
    backbone.load_state_dict(state)
    rows = torch.tensor([[1.0, 2.0, 3.0], [NAN, NAN, 1.0], [1.0, 0.0, NAN]])
    expected = [[100 + 1 + 30 + 5, 2 + 60 + 6], [100 + 10 + 0.1 + 0.3, 20 + 0.2 + 0.4], [100 + 1 + 1 + 0.5, 0]]
    torch.testing.assert_close(backbone(Values(rows)).pooled, torch.tensor(expected))


def test_what_was_never_missing_in_training_counts_as_the_mean() -> None:
    backbone = make(MLP(width=8), ValueSpec(modality="vector", shape=(2,)))
    rows = torch.tensor([[1.0, 0.0], [1.0, NAN]])
    pooled = backbone(Values(rows)).pooled
    torch.testing.assert_close(pooled[1], pooled[0])


@pytest.mark.parametrize("bidirectional", [True, False])
def test_gru_is_that_of_torch_on_packed_sequences(bidirectional: bool) -> None:
    backbone = make(
        GRU(width=5, layers=2, bidirectional=bidirectional), ValueSpec(modality="sequence", shape=(None, 3))
    )
    reference = nn.GRU(3, 5, num_layers=2, batch_first=True, bidirectional=bidirectional)
    ours = backbone.state_dict()
    reference.load_state_dict({name: ours[renamed(name)] for name in reference.state_dict()})
    assert isinstance(PADDED.data, Tensor) and PADDED.lengths is not None
    packed = pack_padded_sequence(PADDED.data, PADDED.lengths, batch_first=True, enforce_sorted=False)
    states, final = reference(packed)
    tokens, _ = pad_packed_sequence(states, batch_first=True)
    features = backbone(PADDED)
    torch.testing.assert_close(features.tokens[features.mask], tokens[features.mask])
    directions = 2 if bidirectional else 1
    torch.testing.assert_close(features.pooled, torch.cat(list(final[-directions:]), 1))


def renamed(name: str) -> str:
    """torch's `weight_ih_l1_reverse` is our `layers.1.directions.1.weight_ih_l0`."""
    kind, _, rest = name.partition("_l")
    depth, _, reverse = rest.partition("_")
    return f"layers.{depth}.directions.{1 if reverse else 0}.{kind}_l0"


def test_the_encoder_is_that_of_torch() -> None:
    encoder = build("sequence-transformer")
    assert isinstance(encoder, SequenceEncoder)
    layer = nn.TransformerEncoderLayer(8, 2, 32, activation="gelu", batch_first=True, norm_first=True)
    reference = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8), enable_nested_tensor=False).train()
    for ours, theirs in zip(encoder.layers, reference.layers, strict=True):
        state = ours.state_dict()
        theirs.load_state_dict({torchs: state[name] for name, torchs in LAYER.items()})
    for module in reference.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0
    tokens, mask = encoder.embed(PADDED)
    assert mask is not None
    features = encoder(PADDED)
    expected = reference(tokens, src_key_padding_mask=~mask)
    torch.testing.assert_close(features.tokens[mask], expected[mask])
    means = torch.stack([row[real].mean(0) for row, real in zip(expected, mask, strict=True)])
    torch.testing.assert_close(features.pooled, means)


LAYER = {
    "attention_norm.weight": "norm1.weight",
    "attention_norm.bias": "norm1.bias",
    "qkv.weight": "self_attn.in_proj_weight",
    "qkv.bias": "self_attn.in_proj_bias",
    "projection.weight": "self_attn.out_proj.weight",
    "projection.bias": "self_attn.out_proj.bias",
    "mlp_norm.weight": "norm2.weight",
    "mlp_norm.bias": "norm2.bias",
    "mlp.0.weight": "linear1.weight",
    "mlp.0.bias": "linear1.bias",
    "mlp.2.weight": "linear2.weight",
    "mlp.2.bias": "linear2.bias",
}


def test_forward_is_encode_after_embed() -> None:
    encoder = build("sequence-transformer")
    features, again = encoder(PADDED), encoder.encode(*encoder.embed(PADDED))
    assert torch.equal(features.tokens, again.tokens)
    assert torch.equal(features.pooled, again.pooled)


def test_encode_sees_the_kept_steps_alone() -> None:
    encoder = build("sequence-transformer")
    tokens, mask = encoder.embed(PADDED)
    keep = torch.tensor([[5, 0, 2], [0, 1, 2], [2, 1, 0], [4, 3, 0]])
    features = encoder.encode(tokens, mask, keep)
    changed = tokens.clone()
    changed[0, [1, 3, 4]] = 9  # left out, and so without effect
    assert torch.equal(encoder.encode(changed, mask, keep).tokens, features.tokens)
    chosen = torch.stack([row[kept] for row, kept in zip(tokens, keep, strict=True)])
    assert mask is not None and features.mask is not None
    assert features.mask.tolist() == [[True] * 3, [True, False, False], [True] * 3, [True] * 3]
    torch.testing.assert_close(features.tokens, encoder.encode(chosen, features.mask).tokens)
    assert encoder.encode(tokens, None, keep).mask is None


def test_positions_are_sines_and_cosines() -> None:
    table = sinusoids(3, torch.zeros(1, 3, 4))
    assert table[0].tolist() == [0, 0, 1, 1]
    assert table[2].tolist() == pytest.approx([sin(2), sin(0.02), cos(2), cos(0.02)])


def test_positions_tell_steps_apart() -> None:
    encoder = build("sequence-transformer")
    there = torch.randn(1, 6, 3)
    assert not torch.allclose(encoder(Values(there)).pooled, encoder(Values(there.flip(1))).pooled, atol=1e-4)
