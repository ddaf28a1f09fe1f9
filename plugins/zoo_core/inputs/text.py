"""Texts."""

from dataclasses import dataclass

from zoo.component import Component, Kind, Modality, option


@dataclass(frozen=True, kw_only=True)
class Text:
    """Options of `zoo/text`."""

    max_length: int = option(256, "Longest text; what follows is cut off.", ge=1, le=65536, unit="tokens")
    lowercase: bool = option(False, "Lower-case the text before the tokenizer sees it.")


COMPONENT = Component(
    kind=Kind.INPUT,
    name="text",
    target="zoo_core.inputs.text:build",
    options=Text,
    modality=(Modality.TEXT,),
    summary="A text, split by the tokenizer that belongs to its backbone.",
    source="Hugging Face tokenizers",
)
