"""The family of transformers' encoders."""

from dataclasses import dataclass
from typing import Any, Literal

from zoo.component import Component, Family, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class TrainedTokenizer:
    """A tokenizer trained on the texts of the training rows, and stored with the model."""

    train: Literal["wordpiece", "bpe", "unigram"] = option(doc="Algorithm: `wordpiece`, `bpe` or `unigram`.")
    vocab_size: int = option(8000, "Entries of the vocabulary, at most.", ge=16, le=1_000_000)


@dataclass(frozen=True, kw_only=True)
class Transformers:
    """Options of `transformers/*`."""

    config: dict[str, Any] | None = option(
        None,
        "Sizes of an architecture that is built without the Hub: `transformers/bert` with `{hidden_size: 128}`.",
        only_random=True,
    )
    tokenizer: str | TrainedTokenizer | None = option(
        None, "A folder or Hub repository, or `{train: wordpiece, vocab_size: 8000}`; the weights' own unless said."
    )
    pool: Literal["auto", "mean", "max", "first", "last"] = option(
        "auto",
        "How tokens become one vector; `auto` is the model's way: `last` in a causal decoder, else `mean` or `first`.",
    )
    depth: int | None = option(None, "Layers kept, counted from the input; all of them unless said.", ge=1)
    resolution: int | None = option(
        None,
        "Side of the square picture, in vision models; the weights' own unless said.",
        ge=8,
        le=4096,
        unit="pixels",
    )
    dropout: float | None = option(None, "Dropout in every layer; the configuration's own unless said.", ge=0, lt=1)
    model: dict[str, Any] = option({}, "Further entries of the configuration, which `zoo plan` tries out.")


BACKBONES = Component(
    kind=Kind.BACKBONE,
    name="*",
    target="zoo_transformers.backbone:build",
    options=Transformers,
    modality=(Modality.TEXT, Modality.IMAGE, Modality.AUDIO),
    provides=frozenset({"tokens", "pooled", "stages", "encode", "export"}),
    summary="An architecture built from `config` (`transformers/bert`), or a Hub repository (`transformers/org/name`).",
    source="Wolf et al. 2020 (transformers)",
    family=Family(
        library="transformers",
        index="zoo_transformers:index.json",
        refresh="zoo_transformers.index:build",
        beyond=r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*",
    ),
    fit="zoo_transformers.tokenizer_training:fit",
)
