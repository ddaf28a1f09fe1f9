"""The metadata at the head of a card (`README.md`) of a model or data set, in YAML between two lines of dashes."""

from itertools import takewhile
from pathlib import Path
from typing import Any


def front_matter(card: Path) -> dict[str, Any]:
    """What the head of a card tells; nothing where it has none.

    Args:
        card: The file.

    Raises:
        ValueError: It is no YAML, or no mapping.
    """
    import yaml

    lines = card.read_text(encoding="utf-8", errors="replace").splitlines()
    front = "\n".join(takewhile(lambda line: line.rstrip() != "---", lines[1:])) if lines[:1] == ["---"] else ""
    try:
        told = yaml.safe_load(front)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(told, dict | None):
        raise ValueError(f"expected keys and values, not {type(told).__name__}")
    return told or {}
