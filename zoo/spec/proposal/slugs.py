"""Names that a spec admits, made from those of columns and files."""

import re
from collections.abc import Collection
from itertools import count

from zoo.spec.edges import TAKEN


def slug(text: str, otherwise: str, taken: Collection[str] = ()) -> str:
    """A name for a part, made from a text; with a number behind it if another part, or torch, has it already."""
    name, gone = plain_name(text, otherwise, "[^A-Za-z0-9_-]+"), {*taken, *TAKEN}
    return next(each for number in count(1) if (each := name if number == 1 else f"{name}_{number}") not in gone)


def plain_name(text: str, otherwise: str, strange: str) -> str:
    """A name that a spec admits, made from a text without what is strange in names."""
    name = re.sub(strange, "_", text).strip("_.-") or otherwise
    return name if name[0].isalpha() else f"{otherwise}_{name}"
