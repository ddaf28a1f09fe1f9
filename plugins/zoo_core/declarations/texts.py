"""Backbones for texts that start at random."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class TextCNN:
    """Options of `zoo/text-cnn`."""

    dim: int = option(128, "Width of the word vectors.", ge=1, le=65536)
    widths: list[int] = option([3, 4, 5], "How many words the filters of each kind see.", min_length=1)
    filters: int = option(100, "Filters of each kind.", ge=1, le=65536)
    dropout: float = option(0.5, "Of word vectors and of pooled features.", ge=0, lt=1)
    vocab_size: int = option(20_000, "Most words of the vocabulary.", ge=1, le=10_000_000)
    min_count: int = option(2, "How often a word must be in the training rows to be in the vocabulary.", ge=1)

    def __post_init__(self) -> None:
        """Refuses filters that see no word."""
        wrong = [width for width in self.widths if not 1 <= width <= 64]
        if wrong:
            raise ValueError(f"`widths`: a filter sees from 1 to 64 words, not {wrong[0]}")


TEXT_CNN = Component(
    kind=Kind.BACKBONE,
    name="text-cnn",
    target="zoo_core.backbones.text_cnn:build",
    options=TextCNN,
    modality=(Modality.TEXT,),
    provides=frozenset({"tokens", "pooled", "export"}),
    summary="Convolutions over words, with a vocabulary learnt from the training rows; small and fast, from scratch.",
    source="Kim 2014",
    fit="zoo_core.backbones.words:fit",
)

COMPONENTS = (TEXT_CNN,)
