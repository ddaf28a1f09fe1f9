"""The licence that the head of a stranger's card tells, as far as it may stand in a terminal and in other cards."""

import re
from pathlib import Path
from typing import Any, TypeGuard

from zoo.checkpoint.readme import front_matter

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+(), -]{0,79}")
"""What a licence may be called: a stranger's text stands in the user's terminal, and in a card."""

Licence = dict[str, str | list[str]]
"""`license`, one or several, and `license_name` where that is `other`."""


def licence_entries(card: Path) -> Licence:
    """What the head of a card says of its licence, as the Hub reads it; empty where it tells none.

    Args:
        card: The file.

    Raises:
        ValueError: The head cannot be read.
    """
    told = front_matter(card)
    licence, name = told.get("license"), told.get("license_name")
    if isinstance(licence, list) and licence and all(map(is_licence, licence)):
        return {"license": licence}
    if not is_licence(licence):
        return {}
    return (
        {"license": licence, "license_name": name} if licence == "other" and is_licence(name) else {"license": licence}
    )


def named(entries: Licence) -> str | None:
    """The name of a licence, or of several; None where there are no entries, or they are too many to tell.

    Args:
        entries: As `licence_entries` gives them.
    """
    licence = entries.get("license_name", entries.get("license"))
    whole = " and ".join(licence) if isinstance(licence, list) else licence
    return whole if is_licence(whole) else None


def is_licence(told: Any) -> TypeGuard[str]:
    """Whether something is the name of a licence.

    Args:
        told: What a card or a spec tells.
    """
    return isinstance(told, str) and bool(NAME.fullmatch(told)) and told.lower() != "unknown"
