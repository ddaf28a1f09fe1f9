"""Licences of the pretrained parts of a spec, beside the one that the model is to be shared under."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from zoo.errors import UsageError
from zoo.registry.catalogue import catalogue
from zoo.spec.paths import is_name
from zoo.spec.sections import Backbone, Spec, named_parts

SAME = "wants the same licence for what is made of it"

RESTRICTIONS = {
    "nc": "forbids commercial use",
    "nd": "forbids sharing what was made of it",
    **dict.fromkeys(("sa", "gpl", "agpl", "lgpl", "odbl", "osl", "gfdl"), SAME),
}
"""What words of a licence's name on the Hub mean."""

KEEPERS = {"gpl": ("agpl",), "lgpl": ("gpl", "agpl")}
"""Words of licences that may be put on what is under another one."""

WELL_KNOWN = re.compile(
    "0bsd|afl|agpl|apache|artistic|bsd|cc|cc0|cdla|ecl|epl|eupl|gfdl|gpl|isc|lgpl|lppl|mit|mpl|ms|ncsa|odbl|odc|ofl|osl"
    "|pddl|postgresql|public|unlicense|wtfpl|zlib"
)
"""Words of licences whose terms their names tell; any other's are its own (`llama3`, `openrail`, `other`)."""


@dataclass(frozen=True)
class Licensed:
    """Pretrained weights that a model was made from, and their licence.

    Args:
        base: What they are called: `timm/resnet50`, `hf://owner/name@commit`, `simclr#photo`.
        licence: Its name; None where nobody here knows.
        why: Why nobody knows.
    """

    base: str
    licence: str | None
    why: str = ""


@dataclass(frozen=True)
class Start:
    """Where a part of a model starts from.

    Args:
        part: Where its tensors stand: `backbones.photo`, `heads.mood`.
        weights: What the spec says.
        backbone: What the spec says of it, where it is a backbone.
    """

    part: str
    weights: str
    backbone: Backbone | None = None


def starts(spec: Spec) -> Iterator[Start]:
    """Each part of a model that does not start at random."""
    found = [
        Start(f"backbones.{name}", section.backbone.weights, section.backbone)
        for name, section in spec.inputs.items()
        if isinstance(section.backbone, Backbone)
    ]
    for name, head in spec.heads.items():
        found.append(Start(f"heads.{name}", head.weights))
        parts = named_parts(head.options).items()
        found += [Start(f"heads.{name}.parts.{option}", part.weights, part) for option, part in parts]
    yield from (each for each in found if each.weights != "none")


def licences(spec: Spec, weights: Mapping[str, Mapping[str, Any]]) -> list[Licensed]:
    """The licence of the weights of each pretrained part, as far as indexes and the catalogue tell, each base once.

    Args:
        spec: A checked spec.
        weights: Where the weights of its parts came from, as its lock tells it.
    """
    return list(dict.fromkeys(stated(each, weights.get(each.part, {})) for each in starts(spec)))


def stated(start: Start, record: Mapping[str, Any]) -> Licensed:
    """The licence of what a part starts from, as far as its library's index and the catalogue tell.

    Args:
        start: The part.
        record: Where its weights came from, as a lock tells it; empty where it does not.
    """
    if start.backbone is not None and start.weights == "pretrained":
        licence = start.backbone.registered.record.get("license") or _in_catalogue(start.backbone.use)
        return Licensed(start.backbone.use, licence, "" if licence else "no index tells it")
    place, mark, part = start.weights.partition("#")
    if "repo" in record and "commit" in record:
        place = f"hf://{record['repo']}@{record['commit']}"
    base = (place if is_name(place) else PurePath(place).name) + mark + part
    return Licensed(base, None, "nobody was asked yet")


def licence_remarks(own: str | None, found: Iterable[Licensed]) -> Iterator[str]:
    """Where nobody knows the licence of a base, has to read it, or the model's own does not keep what it wants.

    Args:
        own: The licence that the model is to be shared under.
        found: Its bases.
    """
    for each in found:
        if each.licence is None:
            look = "look whether it allows to share what was made of it"
            yield f"nobody here knows the licence of {each.base} ({each.why}): {look}"
    yield from limits(own, found)


def limits(own: str | None, found: Iterable[Licensed]) -> Iterator[str]:
    """Where the licence of a model does not keep what that of a base wants, as far as their names tell.

    Args:
        own: The model's.
        found: Its bases.
    """
    for each in found:
        if each.licence is None:
            continue
        words = _words(each.licence)
        wants = dict.fromkeys(RESTRICTIONS[word] for word in words if word in RESTRICTIONS and not _kept(word, own))
        if wants:
            told = f"`hub.license: {own}`" if own else "a model without a licence (`hub.license`)"
            yield f"{each.base} is under {each.licence}, which {' and '.join(wants)}: {told} does not keep that"
        elif each.licence != own and not any(map(WELL_KNOWN.fullmatch, words)):
            yield f"{each.base} is under terms of its own ({each.licence}): read what they ask of what is made of it"


def _kept(word: str, own: str | None) -> bool:
    """Whether a licence keeps what a word of a base's licence wants; none keeps that nothing is shared."""
    return word != "nd" and bool({word, *KEEPERS.get(word, ())}.intersection(_words(own or "")))


def _words(licence: str) -> list[str]:
    told = re.sub(r"non-?commercial", "nc", licence.lower())
    return [each for each in re.split(r"[^a-z0-9]+", told) if each]


def _in_catalogue(name: str) -> str | None:
    try:
        card = catalogue().models.get(name)
    except UsageError:
        return None
    return None if card is None else card.license or None
