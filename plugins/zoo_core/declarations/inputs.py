"""Inputs: what a cell of the table is. A modality is a component, so a plugin can add one."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option
from zoo_core.declarations import augment
from zoo_core.declarations.rules import check_unique


@dataclass(frozen=True, kw_only=True)
class Image:
    """Options of `zoo/image`."""

    channels: int = option(
        3, "Channels of the decoded picture: 1 is grey, 3 is RGB, 4 is RGBA, or a scanner's own.", ge=1, le=64
    )


IMAGE = Component(
    kind=Kind.INPUT,
    name="image",
    target="zoo_core.inputs.image:build",
    options=Image,
    augmentations=augment.IMAGE,
    modality=(Modality.IMAGE,),
    provides=frozenset({"mixes"}),
    summary="A picture: a file's path or its bytes (PNG, JPEG, WebP and what else Pillow reads).",
    source="Pillow",
)


@dataclass(frozen=True, kw_only=True)
class Text:
    """Options of `zoo/text`."""

    max_length: int = option(256, "Longest text; what follows is cut off.", ge=1, le=65536, unit="tokens")
    lowercase: bool = option(False, "Lower-case the text before the tokenizer sees it.")


TEXT = Component(
    kind=Kind.INPUT,
    name="text",
    target="zoo_core.inputs.text:build",
    options=Text,
    augmentations=augment.TEXT,
    modality=(Modality.TEXT,),
    summary="A text, split by the tokenizer that belongs to its backbone.",
    source="Hugging Face tokenizers",
)


@dataclass(frozen=True, kw_only=True)
class Audio:
    """Options of `zoo/audio`."""

    sample_rate: int = option(16000, "Rate that every sound is resampled to.", ge=1000, le=192000, unit="Hz")
    max_seconds: float = option(30.0, "Longest sound; what follows is cut off.", gt=0, le=7200, unit="seconds")


AUDIO = Component(
    kind=Kind.INPUT,
    name="audio",
    target="zoo_core.inputs.audio:build",
    options=Audio,
    augmentations=augment.AUDIO,
    modality=(Modality.AUDIO,),
    summary="A sound: a file's path or its bytes (WAV, FLAC, OGG, MP3), resampled and mixed down to one channel.",
    source="libsndfile (soundfile); torchaudio.functional.resample",
)


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Options of `zoo/vector`."""

    columns: list[str] | None = option(
        None, "Columns that make up the vector, in place of `column`.", min_length=1, columns=True
    )
    categories: list[str] = option([], "Those of the columns that hold categories and not numbers.")
    standardize: bool = option(True, "Give every number the mean 0 and deviation 1 of the training rows.")

    def __post_init__(self) -> None:
        """Refuses columns that are named twice, and categories that are no columns."""
        check_unique("columns", self.columns)
        check_unique("categories", self.categories)
        strangers = sorted(set(self.categories) - set(self.columns or ()))
        if strangers:
            raise ValueError(f"`categories` names `{strangers[0]}`, which is not among `columns`")


VECTOR = Component(
    kind=Kind.INPUT,
    name="vector",
    target="zoo_core.inputs.vector:build",
    fit="zoo_core.inputs.vector:fit",
    options=Vector,
    augmentations=augment.VECTOR,
    modality=(Modality.VECTOR,),
    provides=frozenset({"mixes"}),
    summary="Numbers and categories from one or more columns, or one column of fixed-length lists.",
    source="Gorishniy et al. 2021 (standardised numbers, embedded categories)",
)


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """Options of `zoo/sequence`."""

    max_length: int = option(512, "Longest sequence; what follows is cut off.", ge=1, le=1_000_000, unit="steps")
    standardize: bool = option(True, "Give every feature the mean 0 and deviation 1 of the training rows.")


SEQUENCE = Component(
    kind=Kind.INPUT,
    name="sequence",
    target="zoo_core.inputs.sequence:build",
    fit="zoo_core.inputs.sequence:fit",
    options=Sequence,
    augmentations=augment.SEQUENCE,
    modality=(Modality.SEQUENCE,),
    summary="An array of time steps by features per row: sensor readings, poses, measured audio or visual features.",
    source="zoo",
)


COMPONENTS = (IMAGE, TEXT, AUDIO, VECTOR, SEQUENCE)
