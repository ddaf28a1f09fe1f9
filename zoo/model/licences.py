"""What a card tells of licences: that of each base, and where the model's own does not keep what one wants."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from zoo.model.marks import section_of
from zoo.spec.licences import Licensed, limits

BEGIN, END = "<!-- zoo:licences -->", "<!-- /zoo:licences -->"
"""Around the section in a card: what is between them is made by zoo, but for licences that a user filled in."""

NOT_KNOWN = "not known"
"""In the place of a licence that nobody knows; what a user writes there instead stays."""


def licence_section(own: str | None, found: Sequence[Licensed]) -> str:
    """The section of a card, in Markdown, with its marks; empty where the model has no bases.

    Args:
        own: The licence that the model is to be shared under.
        found: Its bases.
    """
    if not found:
        return ""
    mine = f"under {own}" if own else "under no licence (`hub.license`)"
    rows = [
        "| made of | licence |",
        "|---|---|",
        *(f"| {each.called} | {each.licence or NOT_KNOWN} |" for each in found),
    ]
    told = "\n".join(f"- {each}." for each in limits(own, found))
    parts = ["## Licences", f"This model is {mine}.", "\n".join(rows), told]
    return "\n\n".join([BEGIN, *filter(None, parts), END])


def as_told(found: Iterable[Licensed], card: str) -> list[Licensed]:
    """The bases, with the licences that a card tells where nobody knows them: a user may know, or have been there.

    Args:
        found: The bases.
        card: The card of their model.
    """
    section = section_of(card, BEGIN, END)
    rows = re.findall(r"^[ \t]*\|([^|\n]+)\|([^|\n]+)\|\s*$", section, re.MULTILINE)  # as any editor lays tables out
    cells = ((base.strip(), licence.strip()) for base, licence in rows)
    told = {base: licence for base, licence in cells if licence not in ("", NOT_KNOWN)}
    return [replace(each, licence=told.get(each.called)) if each.licence is None else each for each in found]
