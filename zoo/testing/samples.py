"""Samples of zoo's own modalities, small and unlike each other."""

import io
import wave
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.contract import ValueSpec

VALUES: Mapping[str, ValueSpec] = {
    "image": ValueSpec(modality="image", shape=(3, None, None)),
    "text": ValueSpec(modality="text", max_length=16),
    "audio": ValueSpec(modality="audio", shape=(None,), rate=16000, max_length=8000),
    "vector": ValueSpec(modality="vector", shape=(4,), categories=(0, 3, 0, 2)),
    "sequence": ValueSpec(modality="sequence", shape=(None, 3), max_length=12),
}
"""What the values of each modality are, unless a trial says something else."""

TEXTS = (
    "a small brown dog sleeps in the warm sun of the afternoon",
    "rain",
    "the train leaves at noon",
    "two red boats sail across the wide lake",
    "no news is good news",
)
ROWS = len(TEXTS)


def sample_values(value: ValueSpec) -> list[Any]:
    """Values of this kind, of several sizes where it has a size.

    Raises:
        ValueError: It is a modality that zoo does not know.
    """
    if value.modality not in _MAKERS:
        raise ValueError(f"zoo knows no values of the modality `{value.modality}`: give some as `samples`")
    generator = torch.Generator().manual_seed(0)
    return [_MAKERS[value.modality](value, row, generator) for row in range(ROWS)]


def sample_cells(modality: str, columns: Sequence[str]) -> list[Any]:
    """Cells of a table that hold such values: files' bytes, texts, lists of numbers; of several columns by column.

    Raises:
        ValueError: It is a modality that zoo does not know.
    """
    values = sample_values(VALUES[modality] if modality in VALUES else ValueSpec(modality=modality))
    if modality == "image":
        return [_png(value) for value in values]
    if modality == "audio":
        return [_wav(value) for value in values]
    if modality == "text":
        return values
    if len(columns) == 1:
        return [value.tolist() for value in values]
    generator = torch.Generator().manual_seed(0)
    return [dict(zip(columns, torch.randn(len(columns), generator=generator).tolist(), strict=True)) for _ in values]


def _image(value: ValueSpec, row: int, generator: torch.Generator) -> Tensor:
    channels, *sides = value.shape
    height, width = (side or 32 + 8 * ((row + turn) % 3) for turn, side in enumerate(sides))
    return torch.randint(256, (channels or 3, height, width), generator=generator, dtype=torch.uint8)


def _text(value: ValueSpec, row: int, generator: torch.Generator) -> str:
    return TEXTS[row]


def _audio(value: ValueSpec, row: int, generator: torch.Generator) -> Tensor:
    steps = (value.max_length or 8000) * (ROWS - row) // ROWS
    return torch.rand(steps, generator=generator) - 0.5


def _vector(value: ValueSpec, row: int, generator: torch.Generator) -> Tensor:
    categories = value.categories or (0,) * (value.shape[0] or 4)
    numbers = [
        torch.randint(count, (), generator=generator).float() if count else torch.randn((), generator=generator)
        for count in categories
    ]
    if row:  # a number, or a category, is missing
        numbers[row % len(numbers)] = torch.tensor(torch.nan)
    return torch.stack(numbers)


def _sequence(value: ValueSpec, row: int, generator: torch.Generator) -> Tensor:
    steps = max(1, (value.max_length or 12) * (ROWS - row) // ROWS)
    return torch.randn(steps, value.shape[1] or 3, generator=generator)


_MAKERS: Mapping[str, Callable[[ValueSpec, int, torch.Generator], Any]] = {
    "image": _image,
    "text": _text,
    "audio": _audio,
    "vector": _vector,
    "sequence": _sequence,
}


def _png(value: Tensor) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(value.permute(1, 2, 0).numpy()).save(file, "PNG")
    return file.getvalue()


def _wav(value: Tensor) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes((value * 32767).to(torch.int16).numpy().tobytes())
    return file.getvalue()
