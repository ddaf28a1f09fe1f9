"""Sections of a card that zoo writes anew: each stands between two marks, which are its first line and its last."""

import re


def with_section(card: str, section: str) -> str:
    """A card with another text of a section; one that has not its marks stays as it is.

    Args:
        card: The card.
        section: The section, with its marks.
    """
    begin, *_, end = section.splitlines()
    return _marked(begin, end).sub(lambda _: section, card, count=1)


def section_of(card: str, begin: str, end: str) -> str:
    """What a card has between two marks; empty where it has not these."""
    found = _marked(begin, end).search(card)
    return found[0] if found else ""


def _marked(begin: str, end: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
