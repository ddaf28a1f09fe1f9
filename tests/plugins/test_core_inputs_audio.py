import itertools
import pickle
import subprocess
import sys
import time
import tracemalloc
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from zoo.contract import InputContext, InputType, ValueSpec
from zoo_core.declarations.inputs import Audio
from zoo_core.inputs.audio import build


def audio(sample_rate: int = 16000, max_seconds: float = 2.0) -> InputType:
    options = Audio(sample_rate=sample_rate, max_seconds=max_seconds)
    return build(options, InputContext(name="voice", columns=("voice",)))


def decode(cell: Any, sample_rate: int = 16000, max_seconds: float = 2.0, folder: Path = Path()) -> Tensor:
    value: Tensor = audio(sample_rate, max_seconds).decode(cell, folder)
    assert value.dtype == torch.float32
    assert value.ndim == 1
    return value


def encoded(sound: NDArray[Any], rate: int = 16000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return file.getvalue()


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


SOUND = np.random.default_rng(0).integers(-32768, 32768, 400).astype(np.float32) / 32768


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF"])
@pytest.mark.parametrize("way", ["bytes", "path", "absolute path", "bytes and path", "path alone"])
def test_lossless_files_come_back_as_they_were(kind: str, way: str, tmp_path: Path) -> None:
    content = encoded(SOUND, kind=kind)
    (tmp_path / "a").write_bytes(content)
    cell = {
        "bytes": content,
        "path": "a",
        "absolute path": str(tmp_path / "a"),
        "bytes and path": {"bytes": content, "path": "elsewhere"},
        "path alone": {"bytes": None, "path": "a"},
    }[way]
    assert np.array_equal(decode(cell, folder=tmp_path), SOUND)


@pytest.mark.parametrize("kind", ["OGG", "MP3"])
def test_lossy_files_come_back_nearly(kind: str) -> None:
    value = decode(encoded(tone(16000), kind=kind)).numpy()
    assert abs(len(value) - 16000) < 1200  # MP3 fills its frames
    assert np.corrcoef(value[2000:14000], tone(16000)[2000:14000])[0, 1] > 0.99


def test_a_decoded_sound_comes_as_it_is() -> None:
    wide = np.stack([SOUND, -SOUND / 2])
    for array in (SOUND, SOUND.astype(np.float64), SOUND.tolist(), torch.from_numpy(SOUND)):
        assert np.array_equal(decode({"array": array, "sampling_rate": 16000, "path": None}), SOUND)
    assert np.allclose(decode({"array": wide, "sampling_rate": 16000}), SOUND / 4)
    assert len(decode({"array": SOUND, "sampling_rate": 8000})) == 800


def test_it_tells_what_its_values_are_and_goes_to_workers() -> None:
    made = pickle.loads(pickle.dumps(audio(8000, 0.5)))
    assert made.value == ValueSpec(modality="audio", shape=(None,), rate=8000, max_length=4000)
    assert len(made.decode(encoded(SOUND, 8000), Path())) == 400


def test_channels_are_averaged() -> None:
    left, right = tone(44100), tone(44100, hertz=880)
    flac = encoded(np.stack([left, right], 1), 44100, "FLAC", "PCM_24")
    assert np.allclose(decode(flac, 44100), (left + right) / 2, atol=1e-6)
    assert decode(encoded(np.stack([left, -left], 1), 44100, "FLAC"), 16000).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("rate", "wanted"), [(44100, 16000), (8000, 16000), (22050, 48000), (11127, 16000), (16000, 11127)]
)
def test_a_tone_keeps_its_pitch(rate: int, wanted: int) -> None:
    value = decode(encoded(tone(rate), rate, "WAV", "FLOAT"), wanted).numpy()
    assert len(value) == pytest.approx(wanted, abs=2)
    inner = slice(wanted // 10, -wanted // 10)
    assert np.abs(value[inner] - tone(wanted, 1.01)[: len(value)][inner]).max() < 0.01


@pytest.mark.parametrize("rate", [1, 7, 999, 16001, 44099, 655_349, 9_999_991])
def test_rates_without_a_common_divisor_take_no_time(rate: int) -> None:
    start = time.process_time()
    sound = np.zeros(min(rate, 50_000))
    length = len(decode({"array": sound, "sampling_rate": rate}, 11027))
    assert length == pytest.approx(len(sound) / rate * 11027, rel=3e-4, abs=1)
    assert time.process_time() - start < 3  # the exact filters take up to minutes and 100 GB


def test_what_would_alias_is_filtered_out() -> None:
    assert decode(encoded(tone(44100, hertz=15000), 44100), 16000)[500:-500].abs().max() < 0.01


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000]), st.integers(1, 3000), st.sampled_from([8000, 16000]))
def test_the_length_is_that_of_the_time_up_to_the_longest(rate: int, samples: int, wanted: int) -> None:
    value = decode(encoded(np.zeros(samples), rate), wanted, max_seconds=0.1)
    assert len(value) == min(ceil(samples * wanted / rate), wanted // 10)


def test_one_sample_is_a_sound() -> None:
    assert decode(encoded(np.array([0.5]))).tolist() == [0.5]
    assert len(decode(encoded(np.array([0.5]), 44100))) == 1


@pytest.mark.parametrize("cell", [encoded(SOUND), {"array": SOUND, "sampling_rate": 16000}])
def test_what_is_too_long_is_cut_off(cell: Any) -> None:
    assert np.array_equal(decode(cell, max_seconds=0.01), SOUND[:160])


def test_no_more_is_read_than_is_needed() -> None:
    sound = np.concatenate([np.zeros(1600), np.full(1600, np.nan)])
    assert len(decode(encoded(sound, subtype="FLOAT"), max_seconds=0.1)) == 1600
    with pytest.raises(ValueError, match="NaN"):
        decode(encoded(sound, subtype="FLOAT"))


def nothing(**cell: Any) -> dict[str, Any]:
    return {"array": [0.5], "sampling_rate": 16000} | cell


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("nowhere.wav", "there is no file 'nowhere.wav' in `data`; expected the path of a sound"),
        (7, r"7 \(int\) is not a sound; expected a file's path"),
        (SOUND, "is not a sound"),  # its rate is unknown
        (b"", "holds no bytes; expected a sound"),
        (b"hello, this is text", "no sound that libsndfile reads, or is damaged: Format not recognised"),
        (encoded(SOUND)[:20], "no sound that libsndfile reads, or is damaged"),
        (encoded(np.zeros(0)), r"has no samples; leave the cell empty \(null\) where there is none"),
        (nothing(array=[]), "has no samples"),
        (encoded(np.array([0, np.inf]), subtype="FLOAT"), "NaN or infinite"),
        (nothing(array=[0.0, float("nan")]), "NaN or infinite"),
        (nothing(array=[1, 2]), "`array` holds int64, 2; expected floats between -1 and 1"),
        (nothing(array=np.zeros((1, 2, 3))), "`array` holds float64, 1 x 2 x 3; expected floats"),
        (nothing(array=[0.5, None]), "`array` holds object"),
        (nothing(array=[[0.5], [0.5, 0.1]]), "the channels of `array` have different lengths"),
        (nothing(sampling_rate=None), r"`sampling_rate` is None \(NoneType\); expected samples per second"),
        (nothing(sampling_rate=0), "the sound has 0 samples per second; expected 1 to 10000000"),
        (nothing(sampling_rate=10_000_001), "the sound has 10000001 samples per second"),
    ],
    ids=itertools.count(),  # bytes would name the tests, and a file of floats tells the second that it was written in
)
def test_what_is_no_sound_is_told(cell: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode(cell, folder=Path("data"))


SOUNDS = [encoded(SOUND, kind=kind) for kind in ("WAV", "FLAC", "OGG")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SOUNDS), st.data())
def test_damage_is_a_sound_or_a_value_error(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content[: data.draw(st.integers(1, len(content)))])
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        value = audio(16000, 0.1).decode(bytes(damaged), Path())
    except ValueError:
        return
    assert 0 < len(value) <= 1600


@pytest.mark.slow
def test_torchaudio_is_imported_for_another_rate_only() -> None:
    code = """
import sys
from pathlib import Path
from zoo_core.declarations.inputs import Audio
from zoo_core.inputs.audio import build
for rate in (16000, 8000):
    build(Audio(), None).decode({"array": [0.1] * 99, "sampling_rate": rate}, Path())
    print("torchaudio" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_of_two_hours_only_the_beginning_is_in_memory(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 1000, 1, "PCM_U8") as file:
        for _ in range(120):
            file.write(np.zeros(60_000, np.float32))
    input_type = build(Audio(sample_rate=1000, max_seconds=2), InputContext(name="voice"))
    tracemalloc.start()
    sound = input_type.decode("long.wav", tmp_path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sound.shape == (2000,)
    assert most < 200_000  # all of it would be 29 MB
