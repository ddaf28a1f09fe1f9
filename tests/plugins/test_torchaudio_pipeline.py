import json
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from torchaudio.pipelines._wav2vec2.utils import _extend_model

import zoo_torchaudio
from zoo import Backbone, BackboneContext, Features, UsageError, Values, ValueSpec
from zoo.checkpoint.loading import started
from zoo.model.tower import run_tower
from zoo_torchaudio import pipeline
from zoo_torchaudio.backbones import Pipeline

INDEX = json.loads((Path(zoo_torchaudio.__file__).parent / "index.json").read_text())["models"]
TINY: dict[str, Any] = {
    "extractor_conv_layer_config": [[16, 10, 5], *[[16, 3, 2]] * 4, *[[16, 2, 2]] * 2],
    "encoder_embed_dim": 32,
    "encoder_num_layers": 3,
    "encoder_num_heads": 4,
    "encoder_ff_interm_features": 64,
    "encoder_pos_conv_kernel": 8,
    "encoder_pos_conv_groups": 4,
}
NAMES = ("wav2vec2_base", "wav2vec2_large_lv60k", "wavlm_base", "wavlm_large", "wav2vec2_asr_base_10m")
EACH = pytest.mark.parametrize("name", NAMES)


def make(name: str, rate: int | None = 16000, model: Mapping[str, Any] = TINY, **options: Any) -> Backbone:
    torch.manual_seed(0)
    value = ValueSpec(modality="audio", shape=(None,), rate=rate, max_length=3200)
    chosen = Pipeline(model=dict(model), **options)
    return pipeline.build(chosen, BackboneContext(name=name, value=value)).eval()


def sounds(rows: int = 2, samples: int = 3200) -> Tensor:
    return torch.randn(rows, samples, generator=torch.Generator().manual_seed(1)) / 10


def weights(name: str, **changed: Any) -> dict[str, Tensor]:
    """What a tiny pipeline's file holds, in the spelling of the published files."""
    torch.manual_seed(1)
    state = pipeline.network(pipeline.bundles()[name], **{**TINY, **changed}).state_dict()
    spelling = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, old in spelling.items():
        state = {key.replace(new, old): tensor for key, tensor in state.items()}
    return state


@pytest.mark.parametrize("name", INDEX)
def test_every_pipeline_of_the_index_is_built_without_memory_as_the_index_says(name: str) -> None:
    with torch.device("meta"):
        backbone = make(name, model={})
    assert backbone.features.dim == backbone.features.pooled_dim == INDEX[name]["dim"]
    assert sum(each.numel() for each in backbone.parameters()) == INDEX[name]["parameters"]
    adapted = backbone.adapt(backbone.reference())
    assert set(adapted.tensors) == set(backbone.state_dict())
    assert list(adapted.unused) == (["aux.weight", "aux.bias"] if "asr" in name or name == "mms_fa" else [])


@EACH
def test_it_computes_what_torchaudio_computes(name: str) -> None:
    bundle, state = pipeline.bundles()[name], weights(name)
    theirs: Any = pipeline.network(bundle, **TINY)
    theirs.load_state_dict(state)
    theirs.aux = None
    if bundle._normalize_waveform:
        theirs = _extend_model(theirs, normalize_waveform=True)
    ours = make(name)
    ours.load_state_dict(dict(ours.adapt(state).tensors))
    sound = sounds(1)
    with torch.no_grad():
        features = ours(Values(ours.prepare(sound[0]).unsqueeze(0)))
        expected, _ = theirs.eval()(sound)
    torch.testing.assert_close(features.tokens, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(features.pooled, expected.mean(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "normalize"), [("wav2vec2_base", False), ("wavlm_large", True)])
def test_sounds_are_prepared_as_the_pipeline_was_trained(name: str, normalize: bool) -> None:
    sound = sounds(1)[0] + 0.5
    prepared = make(name).prepare(sound)
    assert torch.equal(prepared, torch.nn.functional.layer_norm(sound, sound.shape) if normalize else sound)
    assert torch.equal(pickle.loads(pickle.dumps(make(name).prepare))(sound), prepared)


@EACH
@pytest.mark.parametrize("samples", [1, 399, 400])
def test_the_shortest_sounds_have_a_token(name: str, samples: int) -> None:
    backbone = make(name)
    for sound in (torch.ones(samples), torch.zeros(samples), sounds(1, samples)[0]):
        features = backbone(Values(backbone.prepare(sound).unsqueeze(0), torch.tensor([400])))
        assert features.tokens.shape == (1, 1, 32)
        assert features.mask is not None and features.mask.all()
        assert features.tokens.isfinite().all() and features.pooled.isfinite().all()


def test_the_rate_must_be_the_pipelines() -> None:
    with pytest.raises(UsageError, match="hears sound at 16000 Hz, but the input gives 8000 Hz: write `sample_rate: 1"):
        make("wav2vec2_base", rate=8000)


def test_a_pipeline_that_is_not_installed_is_told() -> None:
    with pytest.raises(UsageError, match="no pipeline `wav2vec3_base`; it has hubert_asr_large, "):
        make("wav2vec3_base")


@pytest.mark.parametrize(
    ("name", "model", "words"),
    [
        (
            "hubert_base",
            {"encoder_num_layer": 2},
            r"which torchaudio\.models\.wav2vec2_model .* `encoder_num_layers`\?",
        ),
        ("hubert_base", {"encoder_num_buckets": 64}, "wav2vec2_model does not take"),
        ("wav2vec2_asr_base_10m", {"aux_num_out": 3}, "`aux_num_out`, which"),
        ("wavlm_base", {"zzz": 1}, "it takes encoder_attention_dropout, "),
        ("wavlm_base", {"encoder_embed_dim": 30}, "cannot build wavlm_base with `model: .*divisible"),
        ("wavlm_base", {"encoder_num_layers": "two"}, "cannot build wavlm_base with `model: "),
        ("wavlm_base", {"encoder_num_layers": 0}, "`depth` is 0, but wavlm_base has 0 layers"),
        ("hubert_base", {"extractor_mode": "none"}, "cannot build hubert_base with `model: .*Invalid norm mode"),
    ],
)
def test_what_the_model_function_does_not_take_is_refused(name: str, model: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make(name, model=model)


def test_depth_cuts_layers_and_no_more_than_there_are() -> None:
    assert len(make("wavlm_base", depth=1).layer_groups()) == len(make("wavlm_base").layer_groups()) - 2
    with pytest.raises(UsageError, match="`depth` is 4, but wavlm_base has 3 layers"):
        make("wavlm_base", depth=4)


@EACH
def test_a_stage_is_what_an_encoder_of_that_depth_gives(name: str) -> None:
    values = Values(sounds())
    whole = make(name)
    stages = whole.stages(values)
    assert len(stages) == 3
    for depth, stage in enumerate(stages, 1):
        cut = make(name, depth=depth)
        adapted = cut.adapt(whole.state_dict())
        assert all(f"layers.{depth}." in unused or depth < 3 for unused in adapted.unused)
        cut.load_state_dict(dict(adapted.tensors))
        torch.testing.assert_close(cut(values).pooled, stage)


def test_max_pools_the_largest_real_token() -> None:
    backbone = make("wav2vec2_large_lv60k", pool="max")
    features = backbone(Values(sounds(), torch.tensor([3200, 1600])))
    for row, real in enumerate((9, 4)):
        assert torch.equal(features.pooled[row], features.tokens[row, :real].amax(0))
    assert not torch.equal(features.pooled, make("wav2vec2_large_lv60k")(Values(sounds())).pooled)


@EACH
def test_dropout_is_the_only_chance_in_training(name: str) -> None:
    values, steady = Values(sounds()), {**TINY, "encoder_layer_drop": 0.0}
    backbone = make(name, model=steady, dropout=0.0)
    expected = backbone(values).tokens
    torch.testing.assert_close(backbone.train()(values).tokens, expected)
    noisy = make(name, model=steady, dropout=0.5)
    assert torch.equal(noisy(values).tokens, expected)
    assert not torch.allclose(noisy.train()(values).tokens, expected)
    weak = make(name, model={**steady, "encoder_dropout": 0.0}, dropout=0.5)
    assert {each.p for each in weak.modules() if isinstance(each, torch.nn.Dropout)} == {0.0, 0.5}


@EACH
def test_layers_that_are_left_out_in_training_still_have_gradients(name: str) -> None:
    backbone = make(name, model={**TINY, "encoder_layer_drop": 1.0}, dropout=0.0)
    other = make(name, model={**TINY, "encoder_layer_drop": 1.0}, dropout=0.0, depth=1)
    values = Values(sounds())
    tokens = backbone.train()(values).tokens
    assert torch.equal(tokens, other.train()(values).tokens)
    tokens.sum().backward()
    assert all(each.grad is not None for each in backbone.parameters())


@EACH
@pytest.mark.parametrize("prefix", ["", "model."])
def test_published_names_are_taken_and_the_recogniser_is_not(name: str, prefix: str) -> None:
    backbone = make(name)
    state = {prefix + key: tensor for key, tensor in weights(name, aux_num_out=29).items()}
    adapted = backbone.adapt(state)
    assert set(adapted.tensors) == set(backbone.state_dict())
    assert set(adapted.unused) == {f"{prefix}aux.weight", f"{prefix}aux.bias"}
    places = {tensor.data_ptr() for tensor in state.values()}
    assert all(tensor.data_ptr() in places for tensor in adapted.tensors.values())


@EACH
def test_weights_of_another_architecture_are_refused(name: str) -> None:
    backbone = make(name)
    with pytest.raises(ValueError, match=r"`encoder\..*` is \[.*48.*\] in them and \[.*32.*\] here"):
        backbone.adapt(weights(name, encoder_embed_dim=48))
    with pytest.raises(ValueError, match=r"they lack \d+ of its \d+ tensors, such as `encoder\.transformer\.layers\.2"):
        backbone.adapt(weights(name, encoder_num_layers=2))
    with pytest.raises(ValueError, match="they lack"):
        backbone.adapt(weights("hubert_base" if "wavlm" in name else "wavlm_base"))


@EACH
def test_assigned_weights_give_the_same_bits_as_copied_ones(name: str, tmp_path: Path) -> None:
    state = weights(name)
    plain = make(name)
    plain.load_state_dict(dict(plain.adapt(state).tensors))
    save_file(plain.state_dict(), tmp_path / "model.safetensors")
    values = Values(sounds())
    for kept in (state, load_file(tmp_path / "model.safetensors")):
        assigned, start = started(lambda: make(name), lambda built, kept=kept: kept)  # type: ignore[misc]
        assert not start.new and not start.resized
        assert torch.equal(assigned.eval()(values).tokens, plain(values).tokens)
        assert torch.equal(assigned(values).pooled, plain(values).pooled)


@EACH
def test_meta_shapes_are_the_real_ones(name: str) -> None:
    with torch.device("meta"):
        nowhere = make(name)
        planned = nowhere(nowhere.example(2))
    real = make(name)(Values(sounds()))
    assert nowhere.example(2).data.shape == sounds().shape  # type: ignore[union-attr]
    assert planned.tokens.is_meta and planned.mask is None
    assert (planned.tokens.shape, planned.pooled.shape) == (real.tokens.shape, real.pooled.shape)
    assert real.tokens.shape == (2, 9, real.pooled.shape[1])


@EACH
def test_layer_groups_hold_everything_once_in_order_of_depth(name: str) -> None:
    backbone = make(name)
    groups = backbone.layer_groups()
    assert sorted(each for group in groups for each in group) == sorted(backbone.state_dict())
    assert all(groups)
    assert all(name.startswith("feature_extractor.") for name in groups[0])
    last_norm = groups[-1] == ["encoder.transformer.layer_norm.weight", "encoder.transformer.layer_norm.bias"]
    assert last_norm == (backbone.padding == "masked")


@EACH
def test_every_parameter_learns(name: str) -> None:
    backbone = make(name, model={**TINY, "encoder_layer_drop": 0.0})
    backbone.train()(Values(sounds(), torch.tensor([3200, 3200]))).tokens.square().sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in backbone.parameters())


@pytest.mark.slow
@EACH
def test_it_can_be_exported(name: str) -> None:
    backbone, values = make(name), Values(sounds(), torch.tensor([3200, 2000]))
    exported = torch.export.export(backbone, (values,)).module()
    torch.testing.assert_close(exported(values).tokens, backbone(values).tokens)


@pytest.mark.parametrize("name", NAMES)
def test_padding_is_exact_where_a_group_norm_reads_it(name: str) -> None:
    assert make(name).padding == ("masked" if "large" in name else "exact")
    assert make(name, model={**TINY, "extractor_mode": "layer_norm"}).padding == "masked"


def same(features: Features, row: int, alone: Features) -> None:
    """What stands in a row is what the sound gives by itself, up to rounding."""
    real = features.tokens[row] if features.mask is None else features.tokens[row][features.mask[row]]
    torch.testing.assert_close(real, alone.tokens[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(features.pooled[row], alone.pooled[0], rtol=1e-5, atol=1e-5)


@EACH
@pytest.mark.parametrize("pool", ["mean", "max"])
@settings(max_examples=12, deadline=None)
@given(lengths=st.lists(st.integers(400, 3200), min_size=1, max_size=4), more=st.integers(0, 700))
def test_a_sound_gives_what_it_gives_alone(name: str, pool: str, lengths: list[int], more: int) -> None:
    backbone = make(name, pool=pool)
    data = sounds(len(lengths), max(lengths) + (more if backbone.padding == "masked" else 0))
    with torch.no_grad():
        together = run_tower(backbone, backbone, Values(data, torch.tensor(lengths)))
        for row, length in enumerate(lengths):
            same(together, row, backbone(Values(data[row : row + 1, :length])))


@pytest.mark.parametrize("name", ["wav2vec2_large_lv60k", "wavlm_large"])
@settings(max_examples=12, deadline=None)
@given(length=st.integers(400, 3100), garbage=st.sampled_from([1.0, -1e30, float("inf"), float("nan")]))
def test_what_stands_under_padding_changes_no_bit(name: str, length: int, garbage: float) -> None:
    backbone, lengths = make(name), torch.tensor([3200, length])
    clean, dirty = sounds(), sounds()
    clean[1, length:], dirty[1, length:] = 0, garbage
    with torch.no_grad():
        one, two = backbone(Values(clean, lengths)), backbone(Values(dirty, lengths))
        stages = zip(*(backbone.stages(Values(data, lengths)) for data in (clean, dirty)), strict=True)
        assert all(torch.equal(first, second) for first, second in stages)
    assert one.mask is not None and two.mask is not None
    assert torch.equal(one.tokens[one.mask], two.tokens[two.mask])
    assert torch.equal(one.pooled, two.pooled)


def test_what_stands_under_padding_reaches_no_gradient() -> None:
    backbone, data = make("wav2vec2_large_lv60k"), sounds()
    data[1, 2000:] = float("inf")
    backbone(Values(data, torch.tensor([3200, 2000]))).pooled.sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in backbone.parameters())


@EACH
def test_encoding_all_tokens_is_the_forward_pass(name: str) -> None:
    backbone, values = make(name), Values(sounds(), torch.tensor([3200, 2000]))
    tokens, mask = backbone.embed(values)
    everything = backbone.encode(tokens, mask, torch.arange(9).expand(2, -1))
    assert torch.equal(everything.tokens, backbone(values).tokens)
    assert torch.equal(everything.pooled, backbone(values).pooled)


@EACH
@settings(max_examples=8, deadline=None)
@given(
    keep=st.lists(st.integers(0, 8), min_size=1, max_size=8, unique=True),
    padding=st.integers(0, 3),
    garbage=st.sampled_from([1.0, float("nan")]),
)
def test_tokens_that_are_not_kept_count_as_padding(name: str, keep: list[int], padding: int, garbage: float) -> None:
    backbone, kept = make(name), torch.tensor(keep)
    tokens, _ = backbone.embed(Values(sounds(1)))
    mask = torch.arange(9)[None] < 9 - padding
    alike = mask & torch.zeros(1, 9, dtype=torch.bool).index_fill(1, kept, True)
    if not alike.any():
        return
    expected = backbone.encode(tokens, alike)
    dirty = tokens.masked_fill(~alike.unsqueeze(-1), garbage)
    features = backbone.encode(dirty, mask, kept[None])
    assert features.mask is not None and torch.equal(features.mask, mask[:, kept])
    real = features.mask[0]
    torch.testing.assert_close(features.tokens[0, real], expected.tokens[0, kept[real]], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(features.pooled, expected.pooled, rtol=1e-5, atol=1e-5)


@EACH
@pytest.mark.parametrize("pool", ["mean", "max"])
def test_a_row_that_keeps_padding_alone_is_finite(name: str, pool: str) -> None:
    backbone = make(name, pool=pool)
    tokens, _ = backbone.embed(Values(sounds()))
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    features = backbone.encode(tokens, mask, torch.tensor([[0, 1], [7, 8]]))
    assert features.tokens.isfinite().all()
    assert (features.pooled[1] == 0).all() and (features.pooled[0] != 0).any()


@pytest.mark.slow
def test_a_build_for_weights_to_come_imports_nothing_more() -> None:
    code = """
import sys
from zoo import BackboneContext, ValueSpec
from zoo.checkpoint.unallocated import Unallocated
from zoo_torchaudio import backbones, pipeline
before = set(sys.modules)
value = ValueSpec(modality="audio", rate=16000, max_length=16000)
for name in ("wav2vec2_base", "wavlm_base"):
    with Unallocated():
        pipeline.build(backbones.Pipeline(), BackboneContext(name=name, value=value))
print(len(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 10
