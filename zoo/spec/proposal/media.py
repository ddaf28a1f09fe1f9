"""What the headers of pictures and sounds tell, without decoding them: sizes, channels, rates, lengths."""

import wave
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median, mode
from typing import Any

LOOKED_AT = 64
"""Files of a column whose headers are read."""


@dataclass(frozen=True)
class Pictures:
    """What pictures are like.

    Args:
        side: Median of their longer sides, in pixels.
        grey: Whether all are grey.
    """

    side: int
    grey: bool


@dataclass(frozen=True)
class Sounds:
    """What sounds are like.

    Args:
        rate: The most common rate, in Hz.
        rates: How many different rates there are.
        longest: Length of the longest, in seconds.
    """

    rate: int
    rates: int
    longest: float


def pictures(cells: Sequence[Any], folder: Path) -> Pictures | None:
    """What the first pictures of a column are like; None where no header can be read."""
    from PIL import Image

    sizes, modes = [], []
    for source in _sources(cells, folder):
        with suppress(OSError, ValueError, Image.DecompressionBombError), Image.open(source) as picture:
            sizes.append(max(picture.size))
            modes.append(picture.mode)
    return Pictures(round(median(sizes)), set(modes) <= {"1", "L", "LA"}) if sizes else None


def sounds(cells: Sequence[Any], folder: Path) -> Sounds | None:
    """What the first sounds of a column are like; None where no header can be read."""
    found = [told for source in _sources(cells, folder) if (told := _rate_and_seconds(source)) is not None]
    if not found:
        return None
    rates = [rate for rate, _ in found]
    return Sounds(mode(rates), len(set(rates)), max(length for _, length in found))


def missing(cells: Sequence[Any], folder: Path) -> str:
    """The first file that cells name, where none of the first is there; "" where one is, or they are no paths."""
    paths = [path for cell in cells[:LOOKED_AT] if isinstance(path := _content(cell), str)]
    with suppress(OSError, ValueError):
        return "" if any((folder / path).is_file() for path in paths) else next(iter(paths), "")
    return ""


def _content(cell: Any) -> Any:
    """The bytes or the path of a cell."""
    return (cell.get("bytes") or cell.get("path")) if isinstance(cell, Mapping) else cell


def _sources(cells: Sequence[Any], folder: Path) -> list[BytesIO | str]:
    contents = map(_content, cells[:: max(1, len(cells) // LOOKED_AT)][:LOOKED_AT])
    return [BytesIO(each) if isinstance(each, bytes) else str(folder / each) for each in contents if each]


def _rate_and_seconds(source: BytesIO | str) -> tuple[int, float] | None:
    """Rate and length of a sound: by the header of WAV and FLAC, by libsndfile of others, whose import takes longer."""
    with suppress(OSError, EOFError, wave.Error, ValueError):
        head = source.getvalue()[:64] if isinstance(source, BytesIO) else _beginning(source)
        if head[:4] == b"fLaC" and len(head) >= 26:  # STREAMINFO is always the first block (RFC 9639)
            bits = int.from_bytes(head[18:26], "big")
            rate, frames = bits >> 44, bits & (1 << 36) - 1
            return (rate, frames / rate) if rate and frames else None
        if head[:4] == b"RIFF":
            with wave.open(source) as file:
                return file.getframerate(), file.getnframes() / file.getframerate()
        import soundfile

        with suppress(soundfile.LibsndfileError):
            told = soundfile.info(source)
            return told.samplerate, told.duration
    return None


def _beginning(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(64)
