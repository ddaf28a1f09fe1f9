"""Licences of the pretrained parts of a spec, beside the one that the model is to be shared under."""

import re
from collections.abc import Iterator

from zoo.errors import UsageError
from zoo.registry.catalogue import catalogue
from zoo.spec.sections import Backbone, Spec

RESTRICTIONS = {
    "nc": "forbids commercial use",
    "nd": "forbids sharing what was made of it",
    "sa": "wants the same licence for what is made of it",
    "gpl": "wants the same licence for what is made of it",
    "agpl": "wants the same licence for what is made of it",
}
"""What words of a licence's name on the Hub mean."""


def licences(spec: Spec) -> dict[str, str | None]:
    """The licence of the weights of each pretrained part, by what the spec calls them; None where nobody here knows.

    Args:
        spec: A checked spec. What starts at random, or at a folder of this machine, has none.
    """
    found: dict[str, str | None] = {}
    for section in spec.inputs.values():
        backbone = section.backbone
        if isinstance(backbone, Backbone) and backbone.weights == "pretrained":
            record = backbone.registered.record.get("license")
            found[backbone.use] = record or _on_card(backbone.use)
        elif isinstance(backbone, Backbone) and backbone.weights.startswith("hf://"):
            found[backbone.weights] = None
    return found


def licence_remarks(spec: Spec) -> Iterator[str]:
    """Where the licence of a model does not keep what that of a base wants, as far as their names tell."""
    own = spec.hub.license
    for base, licence in licences(spec).items():
        if licence is None:
            yield f"nobody here knows the licence of {base}: look whether it allows to share what was made of it"
            continue
        missing = [
            RESTRICTIONS[word]
            for word in _words(licence)
            if word in RESTRICTIONS and not _kept(word, _words(own or ""))
        ]
        if missing:
            told = f"`hub.license: {own}`" if own else "a model without a licence (`hub.license`)"
            yield f"{base} is under {licence}, which {missing[0]}: {told} does not keep that"


def _kept(word: str, own: list[str]) -> bool:
    """Whether a licence keeps what a word of a base's licence wants; the AGPL may be put on what is under the GPL."""
    return word in own or (word == "gpl" and "agpl" in own)


def _words(licence: str) -> list[str]:
    return [each for each in re.split(r"[-_. ]", licence.lower()) if each]


def _on_card(name: str) -> str | None:
    try:
        card = catalogue().models.get(name)
    except UsageError:
        return None
    return None if card is None else card.license or None
