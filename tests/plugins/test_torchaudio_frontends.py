import pickle
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from zoo import Frontend, FrontendContext, UsageError, ValueSpec
from zoo.checkpoint.unallocated import Unallocated
from zoo_core.declarations.inputs import Audio
from zoo_core.inputs.audio import AudioInput
from zoo_torchaudio import log_mel, mfcc
from zoo_torchaudio.frontends import MFCC, LogMel

RATE = 8000
KINDS = pytest.mark.parametrize(("module", "options"), [(log_mel, LogMel), (mfcc, MFCC)])


def frontend(module: Any, options: Any, rate: int | None = RATE, longest: int | None = RATE) -> Frontend:
    value = ValueSpec(modality="audio", shape=(None,), rate=rate, max_length=longest)
    built: Frontend = module.build(options, FrontendContext(name="voice", value=value))
    return built


def noise(samples: int) -> Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(samples)) / 10


@pytest.mark.parametrize("samples", [1, 399, 4000, 8000])
@pytest.mark.parametrize(
    "options",
    [
        LogMel(standardize=False),
        LogMel(standardize=False, n_mels=20, n_fft=511, hop_length=100, f_min=100.0, f_max=3000.0),
    ],
)
def test_log_mel_is_the_logarithm_of_torchaudios_spectrogram(options: LogMel, samples: int) -> None:
    sizes = {name: getattr(options, name) for name in ("n_mels", "n_fft", "hop_length", "f_min", "f_max")}
    spectrogram = torchaudio.transforms.MelSpectrogram(RATE, **sizes, pad_mode="constant")
    expected = torch.log(spectrogram(noise(samples)) + 1e-6)
    picture = frontend(log_mel, options)(noise(samples))
    torch.testing.assert_close(picture[0, :, : expected.shape[1]], expected, rtol=1e-6, atol=1e-6)
    assert (picture[0, :, expected.shape[1] :] == picture.new_tensor(1e-6).log()).all()


@pytest.mark.parametrize("samples", [1, 4000])
def test_mfcc_is_that_of_torchaudio(samples: int) -> None:
    sizes = {"n_mels": 32, "n_fft": 256, "hop_length": 128, "pad_mode": "constant"}
    expected = torchaudio.transforms.MFCC(RATE, 13, log_mels=True, melkwargs=sizes)
    options = MFCC(n_mfcc=13, n_mels=32, n_fft=256, hop_length=128, standardize=False)
    picture = frontend(mfcc, options)(noise(samples))
    real = expected(noise(samples))
    torch.testing.assert_close(picture[0, :, : real.shape[1]], real, rtol=1e-5, atol=1e-5)
    silence = expected(torch.zeros(1)).expand(-1, picture.shape[2] - real.shape[1])
    torch.testing.assert_close(picture[0, :, real.shape[1] :], silence, rtol=1e-5, atol=1e-5)


@KINDS
@pytest.mark.parametrize("standardize", [True, False])
def test_the_size_of_every_picture_is_told_before(module: Any, options: Any, standardize: bool) -> None:
    built = frontend(module, options(standardize=standardize))
    assert (built.value.modality, built.value.standardized) == ("image", standardize)
    assert built.value.shape == (1, 64 if module is log_mel else 40, 51)
    for samples in (1, 80, 7999, 8000, 20000):
        picture = built(noise(samples))
        assert tuple(picture.shape) == built.value.shape
        assert picture.dtype == torch.float32


@KINDS
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("sound", [torch.zeros(1), torch.zeros(9000), torch.ones(1), torch.ones(8000)])
def test_silence_and_clicks_are_finite(module: Any, options: Any, standardize: bool, sound: Tensor) -> None:
    assert frontend(module, options(standardize=standardize))(sound).isfinite().all()


@KINDS
def test_files_of_any_rate_and_length_become_pictures_of_one_size(module: Any, options: Any, tmp_path: Path) -> None:
    audio = AudioInput(Audio(sample_rate=16000, max_seconds=0.5))
    built: Frontend = module.build(options(), FrontendContext(name="voice", value=audio.value))
    for rate, samples in ((8000, 3), (11025, 4000), (44100, 60000)):
        soundfile.write(tmp_path / "voice.wav", noise(samples).numpy(), rate)
        picture = built(audio.decode("voice.wav", tmp_path))
        assert tuple(picture.shape) == built.value.shape == (1, picture.shape[1], 51)
        assert picture.isfinite().all()


def test_silence_is_zero_when_standardized() -> None:
    assert (frontend(log_mel, LogMel())(torch.zeros(5000)) == 0).all()


@KINDS
@settings(max_examples=20, deadline=None)
@given(samples=st.integers(200, 8000))
def test_a_standardized_picture_is_so_over_its_real_frames(module: Any, options: Any, samples: int) -> None:
    picture = frontend(module, options())(noise(samples))
    real = samples // 160 + 1
    assert abs(picture[..., :real].mean()) < 1e-4
    assert abs(picture[..., :real].std(correction=0) - 1) < 1e-4
    assert (picture[..., real:] == 0).all()


def test_what_is_longer_than_the_longest_sound_is_cut_off() -> None:
    built = frontend(log_mel, LogMel())
    torch.testing.assert_close(built(noise(20000)), built(noise(20000)[:8000]), rtol=0, atol=0)


@pytest.mark.parametrize(
    "changed", [{"n_fft": 256}, {"hop_length": 200}, {"f_min": 50.0}, {"f_max": 3500.0}, {"standardize": False}]
)
@KINDS
def test_every_option_has_an_effect(module: Any, options: Any, changed: dict[str, Any]) -> None:
    plain, other = frontend(module, options(n_mels=40)), frontend(module, options(n_mels=40, **changed))
    assert plain.value != other.value or not torch.equal(plain(noise(4000)), other(noise(4000)))


def test_bands_and_coefficients_make_the_height() -> None:
    assert frontend(log_mel, LogMel(n_mels=20)).value.shape[1] == 20
    few = MFCC(n_mels=20, n_mfcc=13, standardize=False)
    more = MFCC(n_mels=40, n_mfcc=13, standardize=False)
    assert frontend(mfcc, few).value.shape[1] == 13
    assert not torch.equal(frontend(mfcc, few)(noise(800)), frontend(mfcc, more)(noise(800)))


@KINDS
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"f_max": 4001.0}, r"`f_max` is 4001 Hz, but sound at 8000 Hz holds nothing above 4000 Hz: write a lower"),
        ({"f_min": 4000.0}, r"`f_min` is 4000 Hz, but sound at 8000 Hz holds nothing"),
        ({"n_mels": 256}, r"\d+ of 256 mel bands .* `n_fft: 400` at 8000 Hz .* 20 Hz apart; write `n_fft: 1024`, or"),
        ({"f_min": 10.0, "f_max": 10.5}, r"64 of 64 mel bands hold no frequency: .* write fewer `n_mels`"),
    ],
)
def test_what_sound_at_this_rate_does_not_have_is_refused(
    module: Any, options: Any, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        frontend(module, options(**changed))


def test_the_advised_window_is_taken_and_the_one_before_is_not() -> None:
    assert frontend(log_mel, LogMel(n_mels=256, n_fft=1024)).value.shape[1] == 256
    with pytest.raises(UsageError, match="`n_fft: 1024`"):
        frontend(log_mel, LogMel(n_mels=256, n_fft=512))


def test_an_input_must_tell_its_rate_and_its_longest_sound() -> None:
    with pytest.raises(UsageError, match="write `max_seconds`"):
        frontend(log_mel, LogMel(), longest=None)
    with pytest.raises(UsageError, match="does not tell the rate"):
        frontend(log_mel, LogMel(), rate=None)


@KINDS
def test_worker_processes_can_take_it_along(module: Any, options: Any) -> None:
    built = frontend(module, options())
    assert torch.equal(pickle.loads(pickle.dumps(built))(noise(3000)), built(noise(3000)))


@KINDS
def test_it_works_when_it_was_made_where_models_get_no_memory(module: Any, options: Any) -> None:
    expected = frontend(module, options())(noise(3000))
    for nowhere in (Unallocated(), torch.device("meta")):
        with nowhere:
            built = frontend(module, options())
        assert torch.equal(built(noise(3000)), expected)
