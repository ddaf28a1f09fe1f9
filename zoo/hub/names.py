"""What files of a shared run may be called: names that mean the same file on every system, and nothing outside."""

import re
import unicodedata
from collections.abc import Iterable

from zoo.checkpoint.names import wrong_name
from zoo.checkpoint.shards import CONVERT, PICKLES
from zoo.errors import CorruptError

SMALL = 64 << 20
"""Bytes of a file that holds no weights, at most."""

MOST = 10_000
"""Files of a run, at most."""

WEIGHTS = re.compile(r"(model|delta|model-\d{5}-of-\d{5})\.safetensors")
KNOWN = re.compile(
    r"zoo\.yaml|zoo\.lock|config\.json|preprocessing\.json|metrics\.json|history\.jsonl|skipped\.csv|golden\.json"
    r"|README\.md|model\.safetensors\.index\.json|parts/.+|" + WEIGHTS.pattern
)
OF_THE_STORE = frozenset((".gitattributes",))
"""Files that a store adds by itself."""

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that are devices on Windows."""


def check_names(names: Iterable[str], where: str) -> list[str]:
    """The names of a run's files, if all of them can stand in one folder; those that are of no run are left out.

    Args:
        names: All names.
        where: What messages call the tree.

    Raises:
        CorruptError: One leads elsewhere, two are one on some system, there are too many, or all weights are pickles.
    """
    found = sorted(set(names) - OF_THE_STORE)
    if len(found) > MOST:
        raise CorruptError(f"{where} has {len(found):,} files, and a run has {MOST:,} at most")
    for name in found:
        if (wrong := wrong_name(name) or _wrong_on_windows(name)) is not None:
            raise CorruptError(f"{where} has a file {name[:80]!r}, {wrong}")
    folded: dict[str, str] = {}
    folders = {name.rsplit("/", depth)[0] for name in found for depth in range(1, name.count("/") + 1)}
    for name in found:
        if name in folders:
            raise CorruptError(f"{where} has a file {name[:80]!r} that is a folder too")
        other = folded.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise CorruptError(f"{where} has the files {other!r} and {name!r}, which are one file on some systems")
    known = [name for name in found if KNOWN.fullmatch(name)]
    pickles = [name for name in found if name.endswith(PICKLES)]
    if pickles and not any(WEIGHTS.fullmatch(name) for name in known):
        raise CorruptError(
            f"{where} has its weights as a pickle alone (`{pickles[0]}`), which could run code when it is read; "
            f"{CONVERT}"
        )
    return known


def stray(names: Iterable[str]) -> list[str]:
    """The names that are of no run."""
    return sorted(name for name in set(names) - OF_THE_STORE if not KNOWN.fullmatch(name))


def _wrong_on_windows(name: str) -> str | None:
    if any(RESERVED.fullmatch(each) or each.endswith((" ", ".")) for each in name.split("/")):
        return "whose name is none on Windows"
    return None
