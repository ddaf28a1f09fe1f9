import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from tests.plugins.tiny_transformers import SOUND, SOUNDS, SPECTROGRAMS, Case, Folder, context, make, store
from zoo import UsageError, Values, ValueSpec
from zoo_transformers.backbone import build
from zoo_transformers.declaration import Transformers

WAV2VEC2, HUBERT, WAVLM = SOUNDS
WHISPER, AST = SPECTROGRAMS
TONE = torch.sin(torch.arange(2000) * 0.3) * 0.1 + 0.02


def backbone_of(case: Case, files: Folder | None = None, value: dict[str, Any] | None = None, **options: Any) -> Any:
    spec = ValueSpec(modality="audio", shape=(None,), **{"rate": 16000, "max_length": 3000, **(value or {})})
    given: dict[str, Any] = {} if files is not None else {"config": dict(case.config)}
    return build(Transformers(**given, **options), context(case.name, spec, files)).eval()


def said(folder: Path, case: Case, **settings: Any) -> Folder:
    texts = dict(make(case).files())
    return store(folder, texts | {"preprocessor_config.json": json.dumps(settings)})


def test_a_sound_gets_mean_0_and_variance_1_as_the_library_does() -> None:
    expected = transformers.Wav2Vec2FeatureExtractor()(TONE.numpy(), sampling_rate=16000, return_tensors="pt")
    made = make(WAV2VEC2).prepare(TONE)
    assert torch.allclose(made, expected.input_values[0], atol=1e-5)


def test_weights_trained_on_raw_sounds_get_them_raw(tmp_path: Path) -> None:
    backbone = backbone_of(WAV2VEC2, said(tmp_path, WAV2VEC2, do_normalize=False, sampling_rate=16000))
    assert torch.equal(backbone.prepare(TONE), TONE)
    assert json.loads(backbone.files()["preprocessor_config.json"])["do_normalize"] is False


@pytest.mark.parametrize("case", [*SOUNDS, *SPECTROGRAMS], ids=str)
@pytest.mark.parametrize("samples", [0, 1, 30])
def test_sounds_of_almost_nothing_have_features(case: Case, samples: int) -> None:
    backbone = make(case)
    features = backbone(Values(backbone.prepare(torch.full((samples,), 0.1))[None]))
    assert features.tokens.shape[1] >= 1
    assert features.pooled.isfinite().all()


@pytest.mark.parametrize("case", [*SOUNDS, *SPECTROGRAMS], ids=str)
def test_another_rate_is_refused_with_what_to_write(case: Case) -> None:
    with pytest.raises(UsageError, match=r"at 16000 Hz, and the input gives 8000; write `sample_rate: 16000`"):
        backbone_of(case, value={"rate": 8000})


def test_the_rate_is_that_of_the_weights(tmp_path: Path) -> None:
    files = said(tmp_path, WAV2VEC2, sampling_rate=8000)
    assert backbone_of(WAV2VEC2, files, value={"rate": 8000}).rate == 8000
    with pytest.raises(UsageError, match="at 8000 Hz"):
        backbone_of(WAV2VEC2, files)


def test_whisper_hears_what_the_library_gives_it() -> None:
    config = transformers.WhisperConfig()
    backbone = backbone_of(
        Case("whisper", "audio", {**WHISPER.config, "num_mel_bins": 80, "max_source_positions": 1500}),
        value={"max_length": 480000},
    )
    expected = transformers.WhisperFeatureExtractor()(TONE.numpy(), sampling_rate=16000, return_tensors="pt")
    assert torch.allclose(backbone.prepare(TONE), expected.input_features[0], atol=1e-6)
    assert backbone.prepare(TONE).shape == (80, 2 * config.max_source_positions)


def test_a_spectrogram_transformer_hears_what_the_library_gives_it(tmp_path: Path) -> None:
    extractor = transformers.ASTFeatureExtractor(num_mel_bins=16, max_length=32, mean=-3.0, std=2.0)
    expected = extractor(TONE.numpy(), sampling_rate=16000, return_tensors="pt").input_values[0]
    backbone = backbone_of(AST, said(tmp_path, AST, mean=-3.0, std=2.0))
    assert torch.allclose(backbone.prepare(TONE), expected, atol=1e-6)
    kept = json.loads(backbone.files()["preprocessor_config.json"])
    assert kept == {"mean": -3.0, "std": 2.0, "sampling_rate": 16000}


@pytest.mark.parametrize(("case", "seconds"), [(WHISPER, "0.4"), (AST, "0.32")], ids=str)
def test_more_than_fits_the_window_is_refused_with_what_to_write(case: Case, seconds: str) -> None:
    with pytest.raises(UsageError, match=f"hears {seconds} seconds, .* up to 1; write `max_seconds: {seconds}`"):
        backbone_of(case, value={"max_length": 16000})
    backbone_of(case, value={"max_length": None})


def test_masks_of_frames_are_as_long_as_the_convolutions_make_them() -> None:
    backbone = make(HUBERT)
    features = backbone(Values(torch.randn(3, 500), torch.tensor([500, 101, 40])))
    frames = [((length - 10) // 5 + 1 - 3) // 2 + 1 for length in (500, 101, 40)]
    assert features.mask is not None
    assert features.mask.sum(1).tolist() == frames
    assert features.mask.shape == features.tokens.shape[:2]


@pytest.mark.parametrize("case", SOUNDS, ids=str)
def test_nothing_is_left_out_in_training_unless_it_is_said(case: Case) -> None:
    backbone = make(case, dropout=0.0).train()
    values = Values(torch.randn(2, 900))
    assert torch.equal(backbone(values).pooled, backbone(values).pooled)
    assert "network.masked_spec_embed" not in backbone.state_dict()


def test_frames_are_hidden_in_training_alone_and_by_torchs_random_numbers() -> None:
    model = {"mask_time_prob": 0.5, "mask_time_length": 2}
    backbone = make(HUBERT, dropout=0.0, model=model)
    values = Values(torch.randn(2, 900))
    assert torch.equal(backbone(values).pooled, backbone(values).pooled)
    backbone.train()
    np.random.seed(5)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # a tuple
    torch.manual_seed(3)
    first = backbone(values).pooled
    second = backbone(values).pooled
    torch.manual_seed(3)
    assert torch.equal(backbone(values).pooled, first)
    assert not torch.equal(first, second)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # a tuple


def test_layers_are_left_out_where_it_is_said() -> None:
    backbone = make(WAVLM, dropout=0.0, model={"layerdrop": 0.6}).train()
    torch.manual_seed(0)
    outputs = {tuple(backbone(Values(torch.ones(1, 300))).pooled[0].tolist()) for _ in range(8)}
    assert len(outputs) > 1


def test_norms_before_the_layers_make_the_last_norm_the_last_group() -> None:
    last, first = make(HUBERT).layer_groups()[-1], make(WAVLM).layer_groups()[0]
    assert last == ["network.encoder.layer_norm.weight", "network.encoder.layer_norm.bias"]
    assert "network.encoder.layer_norm.weight" in first


@pytest.mark.parametrize(("case", "pool"), [(WAV2VEC2, "first"), (WHISPER, "first"), (WAV2VEC2, "last"), (AST, "last")])
def test_no_single_frame_stands_for_a_sound(case: Case, pool: str) -> None:
    with pytest.raises(UsageError, match=f"`pool: {pool}` means nothing for `{case.name}`; take one of"):
        make(case, pool=pool)


@pytest.mark.parametrize(("pool", "expected"), [("mean", "mean"), ("max", "amax")])
@pytest.mark.parametrize("case", [HUBERT, AST], ids=str)
def test_each_way_of_pooling(case: Case, pool: str, expected: str) -> None:
    backbone = make(case, pool=pool)
    features = backbone(backbone.example(2))
    assert torch.allclose(features.pooled, getattr(features.tokens[:, backbone.special :], expected)(1), atol=1e-6)
    assert torch.equal(make(AST, pool="first")(backbone_values()).pooled, make(AST)(backbone_values()).tokens[:, 0])


def backbone_values() -> Values:
    return make(AST).example(2)


def test_an_encoder_that_leads_into_an_adapter_tells_its_width() -> None:
    config = {**SOUND, "add_adapter": True, "output_hidden_size": 24, "num_adapter_layers": 1}
    backbone = make(Case("wav2vec2", "audio", config))
    assert backbone(Values(torch.randn(1, 900))).pooled.shape == (1, backbone.features.pooled_dim) == (1, 24)
    assert backbone.padding == "exact"
