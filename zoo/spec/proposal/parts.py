"""The parts that are proposed for each kind of column: by how many rows there are, and what its cells are like."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from zoo.spec.guess import Guess
from zoo.spec.proposal.media import pictures, sounds

Weights: TypeAlias = Literal["pretrained", "none"]
Section: TypeAlias = dict[str, Any]
Reasons: TypeAlias = dict[tuple[str, ...], str]
"""Reasons by the path of the value that each is for; `()` is of the whole."""

FEW_ROWS = 500
"""Rows below which a pretrained backbone is better kept as it is: so few would only teach it to remember them."""

MANY_ROWS = 20_000
"""Rows from which a larger backbone has enough to learn from."""


@dataclass(frozen=True)
class Part:
    """What an input is proposed to be.

    Args:
        section: Its keys and values.
        why: The reasons for its values.
        alike: Inputs of which this is the same can share a backbone.
    """

    section: Section
    why: Reasons = field(default_factory=dict)
    alike: Any = None


@dataclass(frozen=True)
class Circumstances:
    """What parts are chosen by.

    Args:
        folder: Where relative paths in cells start.
        weights: Whether backbones are to be pretrained.
        rows: How many rows there are to learn from.
    """

    folder: Path
    weights: Weights
    rows: int

    @property
    def few(self) -> bool:
        """Whether there are few rows."""
        return self.rows < FEW_ROWS

    def tell(self, told: str) -> str:
        """A reason that begins with how many rows there are."""
        return f"{self.rows:,} rows: {told}"


def image(cells: Sequence[Any], at: Circumstances) -> Part:
    """An input of pictures."""
    seen = pictures(cells, at.folder)
    if at.weights == "none":
        return _small_image(seen.side if seen else None, seen.grey if seen else False)
    if at.few:
        backbone: Any = {"use": "timm/vit_small_patch14_dinov2.lvd142m", "resolution": 224}
        section = {"type": "image", "backbone": backbone, "transfer": "frozen"}
        why = {
            ("backbone", "use"): "self-supervised: strong features where labels are few",
            ("transfer",): at.tell("the backbone stays as it is, only the rest learns"),
        }
        return Part(section, why, str(backbone))
    large = at.rows >= MANY_ROWS
    backbone = "timm/convnext_base.fb_in22k_ft_in1k" if large else "timm/convnext_tiny.in12k_ft_in1k"
    why = {("backbone",): at.tell(f"{'a larger' if large else 'a small'} network trained on ImageNet, fine-tuned")}
    if seen and seen.side <= 64:
        why = {
            ("backbone", "use"): why[("backbone",)],
            ("backbone", "resolution"): f"pictures of {seen.side} pixels, enlarged to what the network knows",
        }
        enlarged = {"use": backbone, "resolution": 128}
        return Part({"type": "image", "backbone": enlarged}, why, str(enlarged))
    return Part({"type": "image", "backbone": backbone}, why, backbone)


def _small_image(side: int | None, grey: bool) -> Part:
    """A network that starts at random, as large as small pictures need."""
    resolution = min(128, max(32, 32 * math.ceil(side / 32))) if side else 64
    small = {"depth": 3, "model": {"channels": [32, 64, 128, 256], "stem_width": 16}} if resolution <= 32 else {}
    shape = {"depth": small["depth"]} if small else {}
    rest = {"model": small["model"]} if small else {}
    backbone = {"use": "timm/resnet10t", "weights": "none", **shape, "resolution": resolution, **rest}
    told = f"pictures of {side} pixels" if side else "no picture's size could be read"
    why: Reasons = {("backbone", "resolution"): told}
    if small:
        why[("backbone", "depth")] = "of its five stages: small pictures need no more"
        why[("backbone", "model", "stem_width")] = "half as wide as usual"
    if grey:
        why[("channels",)] = "all that were looked at are grey"
    return Part({"type": "image", **({"channels": 1} if grey else {}), "backbone": backbone}, why, (grey, resolution))


def text(cells: Sequence[str], at: Circumstances) -> Part:
    """An input of texts, as long as nearly all of them need."""
    counts = sorted(map(_tokens, cells))
    most = counts[math.ceil(0.95 * len(counts)) - 1]
    length = min(512, max(16, 16 * math.ceil((most + 2) / 16)))
    why: Reasons = {("max_length",): f"95 of 100 texts have at most about {most} tokens"}
    if most > 512:
        why[("max_length",)] += "; the rest is cut off"
    section: Section = {"type": "text", "max_length": length}
    if at.weights == "none":
        return _small_text(section, why, cells, at)
    letters = [letter for cell in cells[:1000] for letter in cell if letter.isalpha()]
    if sum(not letter.isascii() for letter in letters) > 0.15 * len(letters):
        backbone, told = "transformers/FacebookAI/xlm-roberta-base", "knows 100 languages"
    elif at.rows < 10 * FEW_ROWS:
        backbone, told = "transformers/sentence-transformers/all-MiniLM-L6-v2", "English; small, strong with few rows"
    else:
        backbone, told = "transformers/google-bert/bert-base-uncased", at.tell("BERT, fine-tuned whole; English")
    section["backbone"], why[("backbone",)] = backbone, told
    if at.few:
        section["transfer"] = "frozen"
        why[("transfer",)] = at.tell("the backbone stays as it is, only the rest learns")
    return Part(section, why, backbone)


def _small_text(section: Section, why: Reasons, cells: Sequence[str], at: Circumstances) -> Part:
    """Convolutions over words that start at random; a small BERT where texts are written without blanks."""
    if sum(map(_tokens, cells)) < 2 * sum(len(cell.split()) for cell in cells):
        why[("backbone",)] = "words are learnt from your texts; from random weights a transformer needs more of them"
        why[("lowercase",)] = "fewer different words to learn from few texts"
        backbone = {"use": "zoo/text-cnn", "weights": "none", "dim": 300}
        return Part({**section, "lowercase": True, "backbone": backbone}, why, "text")
    return _pieces_of_words(section, why, cells, at)


def _pieces_of_words(section: Section, why: Reasons, cells: Sequence[str], at: Circumstances) -> Part:
    """A small BERT that starts at random, with a tokenizer of its own."""
    width, layers = (256, 4) if at.rows >= MANY_ROWS else (128, 2)
    sizes = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * width,
    }
    different = len({word for cell in cells for word in cell.lower().split()})
    entries = min(8000, max(200, 100 * math.ceil(different / 100)))
    tokenizer = {"train": "wordpiece", "vocab_size": entries}
    backbone = {"use": "transformers/bert", "weights": "none", "config": sizes, "tokenizer": tokenizer}
    why[("lowercase",)] = "fewer different words to learn from few texts"
    why[("backbone", "tokenizer", "vocab_size")] = f"trained on your texts: {different:,} different words were seen"
    return Part({**section, "lowercase": True, "backbone": backbone}, why, "text")


def _tokens(text: str) -> int:
    """About how many tokens a text has: more than words, and a token for each sign of scripts without blanks."""
    words = len(text.split())
    return math.ceil(1.3 * words) if len(text) < 12 * max(1, words) else max(words, math.ceil(len(text) / 3))


def audio(cells: Sequence[Any], at: Circumstances) -> Part:
    """An input of sounds, as long as those that were looked at."""
    seen = sounds(cells, at.folder)
    longest = min(30.0, max(0.1, math.ceil(12 * seen.longest) / 10)) if seen else 10.0
    told = f"the longest that was looked at has {seen.longest:.2g} seconds" if seen else "no length could be read"
    why: Reasons = {("max_seconds",): told + ("; the rest is cut off" if seen and longest < seen.longest else "")}
    rate = seen.rate if seen else 16000
    if at.weights == "none":
        rate = min(max(rate, 1000), 48000)
        step = max(8, rate // 100)
        frontend = {"use": "torchaudio/log-mel", "n_fft": step * 5 // 2, "hop_length": step}
        resolution = 64 if longest <= 2 else 128
        backbone = {"use": "timm/resnet10t", "weights": "none", "resolution": resolution}
        why[("sample_rate",)] = _rate_told(seen.rates) if seen else "no rate could be read"
        why[("frontend", "hop_length")] = "100 frames a second, of 25 milliseconds each"
        why[("frontend", "use")] = "a picture of frequencies over time, for a network of pictures"
        return Part(
            {"type": "audio", "sample_rate": rate, "max_seconds": longest, "frontend": frontend, "backbone": backbone},
            why,
            ("audio", rate, longest),
        )
    why[("sample_rate",)] = "what the backbone knows" + (
        f"; the files have {rate} Hz" if seen and rate != 16000 else ""
    )
    why[("backbone",)] = "speech; for other sounds `frontend: torchaudio/log-mel` and a backbone of pictures"
    why[("transfer",)] = at.tell(
        "the backbone stays as it is, only the rest learns" if at.few else "its last four layers learn, the others stay"
    )
    section = {"type": "audio", "sample_rate": 16000, "max_seconds": longest, "backbone": "torchaudio/hubert_base"}
    return Part({**section, "transfer": "frozen" if at.few else "last:4"}, why, "audio")


def _rate_told(rates: int) -> str:
    return "the files' own" if rates == 1 else f"the most common of {rates} rates"


def vector(cells: Sequence[list[float]], at: Circumstances) -> Part:
    """An input of lists of numbers."""
    return Part({"type": "vector", "backbone": _perceptron(at)}, alike=None)


def _perceptron(at: Circumstances) -> Any:
    return {"use": "zoo/mlp", "width": 256, "layers": 3} if at.rows >= MANY_ROWS else "zoo/mlp"


def facts(numbers: Sequence[str], categories: Sequence[str], at: Circumstances) -> Part:
    """One input of all columns of numbers and categories."""
    chosen = {"columns": [*numbers, *categories], **({"categories": list(categories)} if categories else {})}
    return Part({"type": "vector", **chosen, "backbone": _perceptron(at)})


def sequence(cells: Sequence[list[Any]], at: Circumstances) -> Part:
    """An input of time steps, as long as the longest seen."""
    longest = max(1, *map(len, cells))
    section = {"type": "sequence", "max_length": longest, "backbone": "zoo/gru"}
    return Part(section, {("max_length",): "steps of the longest that was looked at"})


PROPOSE: Mapping[Guess, Callable[[Sequence[Any], Circumstances], Part]] = {
    Guess.IMAGE: image,
    Guess.TEXT: text,
    Guess.AUDIO: audio,
    Guess.VECTOR: vector,
    Guess.SEQUENCE: sequence,
}
"""By kind of column: what proposes an input from its cells."""
