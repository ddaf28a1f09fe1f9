"""The parts that `zoo init` proposes for each kind of column: pretrained ones, or small ones that need no network."""

import math
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

from zoo.spec.guess import Guess

Weights: TypeAlias = Literal["pretrained", "none"]
Section: TypeAlias = dict[str, Any]

SMALL_CNN = {"use": "timm/resnet10t", "weights": "none"}
SMALL_BERT = {
    "use": "transformers/bert",
    "weights": "none",
    "config": {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256},
    "tokenizer": {"train": "wordpiece", "vocab_size": 4000},
}
SECONDS = 10.0
"""Longest sound, where the files do not tell in a simple way."""


@dataclass(frozen=True)
class Proposal:
    """What an input is proposed to be.

    Args:
        section: Its keys and values.
        why: What is to be said of the choice; "" if nothing.
    """

    section: Section
    why: str = ""


def image(cells: Sequence[Any], folder: Path, weights: Weights) -> Proposal:
    """An input of pictures."""
    if weights == "none":
        return Proposal({"type": "image", "backbone": {**SMALL_CNN, "resolution": 64}})
    why = "trained on ImageNet; without network: {use: timm/resnet10t, weights: none, resolution: 64}"
    return Proposal({"type": "image", "backbone": "timm/convnext_tiny.in12k_ft_in1k"}, why)


def text(cells: Sequence[Any], folder: Path, weights: Weights) -> Proposal:
    """An input of texts, as long as nearly all of them need."""
    words = sorted(len(cell.split()) for cell in cells)[math.ceil(0.95 * len(cells)) - 1]
    length = 2 ** min(8, max(4, math.ceil(math.log2(2 * words + 2))))
    if weights == "none":
        return Proposal({"type": "text", "max_length": length, "lowercase": True, "backbone": SMALL_BERT})
    why = "English; for other languages transformers/FacebookAI/xlm-roberta-base; without network transformers/bert"
    backbone = "transformers/sentence-transformers/all-MiniLM-L6-v2"
    return Proposal({"type": "text", "max_length": length, "backbone": backbone}, why)


def audio(cells: Sequence[Any], folder: Path, weights: Weights) -> Proposal:
    """An input of sounds, as long as the first ones."""
    known = [length for cell in cells[:8] if (length := seconds(cell, folder)) is not None]
    longest = max(0.1, math.ceil(12 * max(known)) / 10) if known else SECONDS
    section: Section = {"type": "audio", "sample_rate": 16000, "max_seconds": longest}
    picture = {"frontend": "torchaudio/log-mel", "backbone": {**SMALL_CNN, "resolution": 128}}
    if weights == "none":
        return Proposal(section | picture)
    why = "trained on speech; for other sounds, `frontend: torchaudio/log-mel` before an image backbone"
    return Proposal(section | {"backbone": "torchaudio/hubert_base"}, why)


def vector(cells: Sequence[Any], folder: Path, weights: Weights) -> Proposal:
    """An input of lists of numbers."""
    return Proposal({"type": "vector", "backbone": "zoo/mlp"})


def sequence(cells: Sequence[Any], folder: Path, weights: Weights) -> Proposal:
    """An input of time steps, as long as the longest seen."""
    return Proposal({"type": "sequence", "max_length": max(1, *map(len, cells)), "backbone": "zoo/gru"})


PROPOSE: Mapping[Guess, Callable[[Sequence[Any], Path, Weights], Proposal]] = {
    Guess.IMAGE: image,
    Guess.TEXT: text,
    Guess.AUDIO: audio,
    Guess.VECTOR: vector,
    Guess.SEQUENCE: sequence,
}
"""By kind of column: what proposes an input from its cells, the folder where its paths start, and the weights."""


def seconds(cell: Any, folder: Path) -> float | None:
    """How long a WAV file is; None for anything else."""
    found: Any = (cell.get("bytes") or cell.get("path")) if isinstance(cell, Mapping) else cell
    source = BytesIO(found) if isinstance(found, bytes) else str(folder / found)
    try:
        with wave.open(source) as file:
            length: float = file.getnframes() / file.getframerate()
            return length
    except (OSError, EOFError, wave.Error):
        return None
