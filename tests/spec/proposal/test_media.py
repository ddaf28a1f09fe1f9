import io
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from zoo.spec.proposal.media import missing, pictures, sounds


def sound(form: str, rate: int = 8000, seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(rate * seconds)), rate, format=form)
    return file.getvalue()


def picture(side: int, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side // 2)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG"])
def test_rate_and_length_by_header(form: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(sound(form, 22050, 0.25))
    for cell in ("a", sound(form, 22050, 0.25), {"bytes": sound(form, 22050, 0.25), "path": None}):
        found = sounds([cell], tmp_path)
        assert found is not None
        assert (found.rate, found.rates) == (22050, 1)
        assert found.longest == pytest.approx(0.25, abs=0.01)


def test_the_most_common_rate_and_the_longest_sound() -> None:
    found = sounds([sound("FLAC"), sound("WAV"), sound("FLAC", 44100, 1.0), b"no sound"], Path())
    assert found is not None
    assert (found.rate, found.rates, found.longest) == (8000, 2, 1.0)


def test_wav_needs_no_library() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 16000, 0, "NONE", ""))
        writer.writeframes(bytes(2 * 16000))
    found = sounds([file.getvalue()], Path())
    assert found is not None
    assert found.longest == 1.0


def test_sizes_of_pictures(tmp_path: Path) -> None:
    found = pictures([picture(28, "L"), picture(30, "L"), picture(99, "L")], tmp_path)
    assert found is not None
    assert (found.side, found.grey) == (30, True)
    mixed = pictures([picture(28, "L"), picture(28)], tmp_path)
    assert mixed is not None
    assert not mixed.grey


def test_what_has_no_header(tmp_path: Path) -> None:
    assert pictures([b"no picture", "gone.png"], tmp_path) is None
    assert sounds([b"no sound", "gone.wav", b"fLaC", b""], tmp_path) is None


def test_paths_of_which_none_is_there(tmp_path: Path) -> None:
    assert missing(["gone.png", "a.png"], tmp_path) == "gone.png"
    (tmp_path / "a.png").write_bytes(picture(8))
    assert not missing(["gone.png", "a.png"], tmp_path)
    assert not missing([{"bytes": picture(8), "path": "gone.png"}], tmp_path)
