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

VERSION = "wants the same licence, in its version unless it says otherwise, for what is made of it"

ALIKE = ("sa", "gpl", "agpl", "lgpl", "odbl", "osl", "gfdl", "eupl", "cdla-sharing")

RESTRICTIONS = {
    "nc": "forbids commercial use",
    "nd": "forbids sharing what was made of it",
    **dict.fromkeys(ALIKE, SAME),
}
"""What words of a licence's name on the Hub mean."""

KEEPERS = {"gpl": ("agpl",), "lgpl": ("gpl", "agpl"), "eupl": ("gpl", "agpl", "lgpl", "osl")}
"""Words of licences that may be put on what is under another one."""

LATER = ("sa", "eupl", "later")
"""Words of licences that let what is made be under a later version of themselves."""

GNU = ("gpl", "agpl", "lgpl")
"""Words of licences whose versions belong together."""

WELL_KNOWN = re.compile(
    "(0bsd|afl|agpl|apache|artistic|bsd|cc-by|cc0|cdla|ecl|epl|eupl|gfdl|gpl|isc|lgpl|lppl|mit|mpl|ms-pl|ncsa|odbl"
    "|odc-by|ofl|osl|pddl|postgresql|unlicense|wtfpl|zlib)(?!(?!v\\d)[a-z])"
)
"""How licences begin whose terms their names tell; any other's are its own (`llama3`, `openrail`, `other`)."""

ASIDE = re.compile(r"[,;()/&+|]|\s(?:and|or|with|plus|but|except)\s")
"""What stands between several licences in one name, and before what is added to one."""

PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")
"""A repository on the Hub at a commit."""

LONGEST = 200
"""Characters of a stranger's text that are told, at most."""


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

    @property
    def called(self) -> str:
        """Its name as it may stand in a terminal and in Markdown: a stranger may have chosen it."""
        return re.sub(r"[^\w./@#: +-]", "?", self.base[:LONGEST])


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
    pinned = f"{record.get('repo')}@{record.get('commit')}"
    if PINNED.fullmatch(pinned):
        place = f"hf://{pinned}"
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
            yield f"nobody here knows the licence of {each.called} ({_printable(each.why)}): {look}"
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
        base = _printable(each.licence)
        wants = dict.fromkeys(filter(None, (_wanted(word, base, own or "") for word in _words(base))))
        if wants:
            told = f"`hub.license: {own}`" if own else "a model without a licence (`hub.license`)"
            yield f"{each.called} is under {base}, which {' and '.join(wants)}: {told} does not keep that"
        elif not _well_known(base) and (base != own or base.lower() == "other"):
            yield f"{each.called} is under terms of its own ({base}): read what they ask of what is made of it"


def _wanted(word: str, base: str, own: str) -> str:
    """What a word of a base's licence wants and a licence does not keep; none keeps that nothing is shared."""
    keeper = next((each for each in (word, *KEEPERS.get(word, ())) if each in _words(own)), None)
    if word not in ALIKE or keeper is None:
        return "" if keeper and word != "nd" else RESTRICTIONS.get(word, "")
    if keeper != word and not {keeper, word} <= {*GNU}:
        return ""
    wanted, there = _version(word, base), _version(keeper, own)
    later = word in LATER or "later" in _words(base) or (word, keeper) in (("lgpl", "gpl"), ("lgpl", "agpl"))
    if not wanted or not there or wanted == there or (later and there > wanted):
        return ""
    return VERSION


def _version(word: str, licence: str) -> tuple[int, ...]:
    """The version behind a word of a licence; empty where it tells none."""
    found = re.search(rf"(?<![a-z]){word}[- v_]*(\d{{1,4}}(?:\.\d{{1,4}})*)", licence.lower())
    return tuple(map(int, f"{found[1]}.0".split(".")[:2])) if found else ()


def _well_known(licence: str) -> bool:
    """Whether the terms of all that a name tells of are known."""
    each = [part.strip() for part in ASIDE.split(licence.lower()) if part.strip()]
    return bool(each) and all(WELL_KNOWN.match(re.sub(r"[\s_]+", "-", part)) for part in each)


def _words(licence: str) -> list[str]:
    told = re.sub(r"non-?commercial", "nc", licence.lower())
    told = re.sub(r"\b([al]?gpl)v?(?=\d)", r"\1-", told)
    return re.findall(r"cdla-sharing|[a-z0-9]+", told)


def _printable(text: str) -> str:
    """A stranger's text for a terminal and a card: one line, without what begins a mark there."""
    return "".join(letter if letter.isprintable() and letter not in "<|" else "?" for letter in text[: 2 * LONGEST])


def _in_catalogue(name: str) -> str | None:
    try:
        card = catalogue().models.get(name)
    except UsageError:
        return None
    return None if card is None else card.license or None
