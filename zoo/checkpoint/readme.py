"""The metadata at the head of a card (`README.md`) of a model or data set, in YAML between two lines of dashes."""

import re
from itertools import takewhile
from pathlib import Path
from typing import Any

LARGEST = 64 << 10
"""Bytes of a head, at most, unless a reader takes more."""

DEEPEST = 32
"""Levels of lists and mappings in one another, at most."""

MOST = 100_000
"""Values that a head stands for, at most, what an alias means counted each time."""

ENDLESS = re.compile(r"[-+0-9_:.]{1000,}")
"""A number that takes YAML long: in base 60, minutes."""


def front_matter(card: Path, largest: int = LARGEST) -> dict[str, Any]:
    """What the head of a card tells; nothing where it has none.

    It is a stranger's text: what makes YAML grow as it is read (merge keys, aliases without measure), or names types,
    is not read.

    Args:
        card: The file.
        largest: Bytes of the head, at most.

    Raises:
        ValueError: It is no YAML, or no mapping, or what of YAML is not read here.
    """
    import yaml

    front = _head(card, largest)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check(front, loader)
        told = yaml.load(front, Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
    except (ArithmeticError, LookupError, AttributeError, TypeError) as error:  # a number or date that is none
        raise ValueError(f"a value that cannot be read: {type(error).__name__}: {error}") from None
    if not isinstance(told, dict | None):
        raise ValueError(f"expected keys and values, not {type(told).__name__}")
    return told or {}


def _head(card: Path, largest: int) -> str:
    """The text between the lines of dashes, or to the end; empty where there is no first one."""
    with card.open("rb") as file:
        data = file.read(largest + 1)
    lines = data.decode(errors="replace").splitlines()
    if lines[:1] != ["---"]:
        return ""
    front = list(takewhile(lambda line: line.rstrip() != "---", lines[1:]))
    if len(data) > largest and len(front) == len(lines) - 1:
        raise ValueError(f"it has more than {largest:,} bytes")
    return "\n".join(front)


def _check(front: str, loader: Any) -> None:
    """Looks at the parser's events, before anything is built of them.

    Raises:
        ValueError: There are merge keys, tags, too many levels, more values than anybody writes, an alias of what is
            around it, or a number without an end.
    """
    import yaml

    sizes: dict[str, int] = {}  # of what has a name, for its aliases
    around: list[tuple[str | None, int]] = []
    size = 0
    for event in yaml.parse(front, Loader=loader):
        if isinstance(event, yaml.ScalarEvent):
            _check_scalar(event)
        if tag := getattr(event, "tag", None):
            raise ValueError(f"tags are not read: {tag[:40]!r}")
        if isinstance(event, yaml.CollectionStartEvent):
            around.append((event.anchor, size))
            size = 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = around.pop()
            sizes |= {anchor: size + 1} if anchor else {}
            size += before + 1
        elif isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            if name not in sizes:
                raise ValueError(f"an alias of nothing, or of what it stands in: {name[:40]!r}")
            size += sizes[name]
        elif isinstance(event, yaml.ScalarEvent):
            sizes |= {event.anchor: 1} if event.anchor else {}
            size += 1
        if len(around) > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
        if size > MOST:
            raise ValueError(f"more than {MOST:,} values")


def _check_scalar(event: Any) -> None:
    plain = "" if event.style else event.value
    if plain == "<<":
        raise ValueError("merge keys (`<<`) are not read")
    if ENDLESS.fullmatch(plain):
        raise ValueError("a number has more than 1,000 digits")
