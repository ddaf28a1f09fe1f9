import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchaudio.models.conformer import ConformerLayer as TheirLayer
from torchaudio.transforms import MelSpectrogram

from zoo import Backbone, BackboneContext, UsageError, Values, ValueSpec
from zoo.checkpoint.loading import started
from zoo_torchaudio import conformer
from zoo_torchaudio.backbones import Conformer
from zoo_torchaudio.conformer_layer import ConformerLayer


def make(rate: int | None = 16000, longest: int | None = 16000, **changed: Any) -> Backbone:
    torch.manual_seed(0)
    options = Conformer(**{"dim": 16, "layers": 2, "heads": 2, "kernel_size": 5, **changed})
    value = ValueSpec(modality="audio", shape=(None,), rate=rate, max_length=longest)
    return conformer.build(options, BackboneContext(name="conformer", value=value)).eval()


def frames(rows: int = 2, tokens: int = 20) -> Tensor:
    return torch.randn(rows, tokens, 320, generator=torch.Generator().manual_seed(1))


def sound(samples: int) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(samples)) / 10


def test_a_sound_becomes_standardized_log_mel_frames_stacked_by_four() -> None:
    spectrogram = MelSpectrogram(16000, n_fft=512, win_length=400, hop_length=160, n_mels=80, pad_mode="constant")
    expected = torch.log(spectrogram(sound(5000)) + 1e-6).T
    expected = (expected - expected.mean()) / expected.std(correction=0)
    prepared = make().prepare(sound(5000))
    assert prepared.shape == (8, 320)
    torch.testing.assert_close(prepared.reshape(32, 80), expected, rtol=1e-4, atol=1e-5)
    assert (make().prepare(sound(5120)).reshape(36, 80)[33:] == 0).all()


@pytest.mark.parametrize("rate", [1000, 8000, 16000, 44100])
@pytest.mark.parametrize("samples", [1, 100, 1000])
def test_a_sound_of_any_rate_and_length_has_finite_tokens(rate: int, samples: int) -> None:
    backbone = make(rate, rate)
    assert backbone.example(2).data.shape == (2, 26, 320)  # type: ignore[union-attr]
    for each in (sound(samples), torch.zeros(samples)):
        prepared = backbone.prepare(each)
        assert len(prepared) == -(-(samples // (rate // 100) + 1) // 4)
        features = backbone(Values(prepared.unsqueeze(0)))
        assert features.tokens.isfinite().all() and features.pooled.isfinite().all()


def test_a_rate_is_needed_and_a_longest_sound_is_not() -> None:
    assert len(make(longest=None).example(1)) == 1
    with pytest.raises(UsageError, match="does not tell the rate"):
        make(rate=None)


def test_worker_processes_can_take_the_preparation_along() -> None:
    prepare = make().prepare
    assert torch.equal(pickle.loads(pickle.dumps(prepare))(sound(3000)), prepare(sound(3000)))


def test_a_layer_is_torchaudios_but_for_the_norm_behind_the_convolution() -> None:
    torch.manual_seed(0)
    ours, theirs = ConformerLayer(16, 2, 5, 0.0), TheirLayer(16, 64, 2, 5)
    ours.convolution.depthwise_norm = nn.Identity()  # type: ignore[assignment]
    theirs.conv_module.sequential[3] = nn.Identity()
    mine, taken = dict(ours.state_dict()), list(theirs.state_dict().values())
    order = ["feed_forward_before", "attention_norm", "attention.", "convolution", "feed_forward_after", "norm."]
    names = [name for part in order for name in mine if name.startswith(part)]
    ours.load_state_dict({name: value.reshape(mine[name].shape) for name, value in zip(names, taken, strict=True)})
    tokens = torch.randn(2, 7, 16)
    expected = theirs(tokens.transpose(0, 1), None).transpose(0, 1)
    torch.testing.assert_close(ours(tokens, None), expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4), more=st.integers(0, 9))
def test_a_sound_gives_what_it_gives_alone(lengths: list[int], more: int) -> None:
    backbone, data = make(), frames(len(lengths), max(lengths) + more)
    with torch.no_grad():
        together = backbone(Values(data, torch.tensor(lengths)))
        for row, length in enumerate(lengths):
            alone = backbone(Values(data[row : row + 1, :length]))
            torch.testing.assert_close(together.tokens[row, :length], alone.tokens[0], rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(together.pooled[row], alone.pooled[0], rtol=1e-5, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    length=st.integers(1, 19),
    garbage=st.sampled_from([1.0, -1e30, float("inf"), float("nan")]),
    training=st.booleans(),
)
def test_what_stands_under_padding_changes_no_bit(length: int, garbage: float, training: bool) -> None:
    backbone, lengths = make(dropout=0.0).train(training), torch.tensor([20, length])
    clean, dirty = frames(), frames()
    clean[1, length:], dirty[1, length:] = 0, garbage
    one, two = backbone(Values(clean, lengths)), backbone(Values(dirty, lengths))
    assert one.mask is not None and two.mask is not None
    assert torch.equal(one.tokens[one.mask], two.tokens[two.mask])
    assert torch.equal(one.pooled, two.pooled)


def test_the_sizes_are_those_of_the_options() -> None:
    backbone = make(dim=24, layers=3, heads=4, kernel_size=7)
    assert (backbone.features.dim, backbone.features.pooled_dim) == (24, 24)
    layers = [each for each in backbone.modules() if isinstance(each, ConformerLayer)]
    assert len(layers) == 3
    assert {each.attention.num_heads for each in layers} == {4}
    assert {each.convolution.depthwise.weight.shape for each in layers} == {(24, 1, 7)}


def test_dropout_is_the_only_chance_in_training() -> None:
    values = Values(frames(), torch.tensor([20, 9]))
    expected = make(dropout=0.0)(values).pooled
    torch.testing.assert_close(make(dropout=0.0).train()(values).pooled, expected)
    assert torch.equal(make(dropout=0.5)(values).pooled, expected)
    assert not torch.allclose(make(dropout=0.5).train()(values).pooled, expected)


def test_the_last_stage_is_what_is_pooled() -> None:
    backbone, values = make(layers=3), Values(frames(), torch.tensor([20, 9]))
    stages = backbone.stages(values)
    assert len(stages) == 3
    assert torch.equal(stages[-1], backbone(values).pooled)
    assert not torch.allclose(stages[0], stages[1])


def test_layer_groups_hold_everything_once_in_order_of_depth() -> None:
    backbone = make()
    groups = backbone.layer_groups()
    assert [name for group in groups for name in group] == list(backbone.state_dict())
    assert [group[0].rpartition(".")[0].split(".")[:2] for group in groups] == [
        ["projection"],
        ["layers", "0"],
        ["layers", "1"],
    ]


def test_every_parameter_learns() -> None:
    backbone = make().train()
    backbone(Values(frames(), torch.tensor([20, 9]))).pooled.square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in backbone.parameters())


def test_meta_shapes_are_the_real_ones() -> None:
    with torch.device("meta"):
        nowhere = make()
        planned = nowhere(nowhere.example(2))
    real = make()(Values(frames(2, 26)))
    assert planned.tokens.is_meta
    assert (planned.tokens.shape, planned.pooled.shape) == (real.tokens.shape, real.pooled.shape)
    # What prepares sounds is real all the same.
    assert torch.equal(nowhere.prepare(sound(900)), make().prepare(sound(900)))


def test_saved_weights_give_the_same_bits(tmp_path: Path) -> None:
    backbone, values = make(), Values(frames(), torch.tensor([20, 9]))
    save_file(backbone.state_dict(), tmp_path / "model.safetensors")
    state = load_file(tmp_path / "model.safetensors")
    assigned, start = started(make, lambda built: state)
    assert not start.new
    assert torch.equal(assigned.eval()(values).tokens, backbone(values).tokens)
    assert torch.equal(assigned.prepare(sound(900)), backbone.prepare(sound(900)))


@pytest.mark.slow
def test_it_can_be_exported() -> None:
    backbone, values = make(), Values(frames(), torch.tensor([20, 9]))
    exported = torch.export.export(backbone, (values,)).module()
    torch.testing.assert_close(exported(values).pooled, backbone(values).pooled)
