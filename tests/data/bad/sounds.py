"""Sounds that are damaged, unusual or not there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.data.bad.case import ROWS, SPOILT, TRAIN, Bad, good_rows, write_rows

SPEC = (
    """\
inputs:
  voice: {type: audio, max_seconds: 1, backbone: {use: torchaudio/conformer, dim: 16, layers: 1, heads: 2}}
heads: {kind: zoo/classifier}
data: {train: train.jsonl, validation: 0.25}
"""
    + TRAIN
)


def noise(samples: int, seed: int = 0, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (samples, channels)).astype(np.float32)


def case(name: str, told: str, make: Callable[[Path], object], *, exit_code: int = 2, cell: str = "bad.wav") -> Bad:
    """A table of sounds, one of which `make` writes."""

    def write(folder: Path) -> None:
        cells = [f"{row}.wav" for row in range(ROWS)]
        for row, file in enumerate(cells):
            soundfile.write(folder / file, noise(4000, row), 16000)
        cells[SPOILT] = cell
        write_rows(folder / "train.jsonl", good_rows(cells, "voice"))
        make(folder / cell)

    return Bad(name, SPEC, write, told, exit_code)


def truncated(path: Path) -> None:
    soundfile.write(path, noise(16000), 16000)
    path.write_bytes(path.read_bytes()[:9000])


def cut_mp3(path: Path) -> None:
    soundfile.write(path, noise(16000), 16000)
    path.write_bytes(path.read_bytes()[:2000])


def long(path: Path) -> None:
    """Two hours, at a rate that keeps the file small."""
    with soundfile.SoundFile(path, "w", 1000, 1, "PCM_U8") as file:
        for minute in range(120):
            file.write(noise(60_000, minute))


def with_nan(path: Path) -> None:
    sound = noise(4000)
    sound[100] = np.nan
    soundfile.write(path, sound, 16000, subtype="FLOAT")


def renamed(path: Path) -> None:
    soundfile.write(path.with_suffix(".flac"), noise(4000), 16000)
    path.with_suffix(".flac").rename(path)


CASES = [
    case("a truncated FLAC", "no sound that libsndfile reads, or is damaged", truncated, cell="bad.flac"),
    case("a truncated WAV", "cut short: its header promises more", truncated, exit_code=0),
    case("a truncated MP3", "cut short: its header promises more", cut_mp3, exit_code=0, cell="bad.mp3"),
    case("a text called .wav", "no sound that libsndfile reads", lambda path: path.write_text("hello")),
    case("a sound of 0 bytes", "the file 'bad.wav' is empty (0 bytes)", lambda path: path.touch()),
    case("a sound without samples", "the sound has no samples", lambda path: soundfile.write(path, noise(0), 16000)),
    case("samples that are NaN", "the sound has samples that are NaN or infinite", with_nan),
    case("one sample", "shorter than 10 ms", lambda path: soundfile.write(path, noise(1), 16000), exit_code=0),
    case("silence", "silent", lambda path: soundfile.write(path, noise(4000) * 0, 16000), exit_code=0),
    case(
        "two channels at 8 kHz",
        "2 channels, averaged",
        lambda path: soundfile.write(path, noise(4000, channels=2), 8000),
        exit_code=0,
    ),
    case("a FLAC called .wav", "A FLAC file called .wav", renamed, exit_code=0),
    case("two hours", "1 longer than is read", long, exit_code=0),
]
