"""What a lock tells of a shared run, read without trust."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.checkpoint.delta import Rule, read_rules
from zoo.errors import CorruptError
from zoo.hub.bases import Base, read_bases
from zoo.hub.names import MOST, check_names
from zoo.hub.store import SHA256, Blob

FORMAT = 1


@dataclass(frozen=True)
class Told:
    """What a lock tells.

    Args:
        files: Size and SHA-256 of every file but the lock itself and the card; None where the run was put there by
            other means than a push, and its tensors alone have digests.
        rules: Where the tensors that the delta leaves out stand.
        bases: The bases of the delta, by name.
    """

    files: Mapping[str, Blob] | None = None
    rules: list[Rule] = field(default_factory=list)
    bases: Mapping[str, Base] = field(default_factory=dict)


def read_told(lock: Mapping[str, Any], where: str) -> Told:
    """What a lock tells of how the run is shared.

    Raises:
        CorruptError: It tells it in a format that this zoo does not know, or tells nonsense.
    """
    shared = lock.get("shared")
    if shared is None:
        return Told()
    if not isinstance(shared, dict) or shared.get("format") != FORMAT:
        known = shared.get("format") if isinstance(shared, dict) else "none"
        raise CorruptError(f"{where} is shared in the format {str(known)[:20]}; this zoo reads the format {FORMAT}")
    delta = shared.get("delta")
    if not isinstance(delta, dict):
        raise CorruptError(f"the zoo.lock of {where} does not tell what its weights are")
    return Told(_files(shared.get("files"), where), read_rules(delta.get("rules")), read_bases(delta.get("bases")))


def _files(told: Any, where: str) -> dict[str, Blob]:
    if not isinstance(told, dict) or len(told) > MOST:
        raise CorruptError(f"the zoo.lock of {where} does not list its files")
    check_names(told, f"the zoo.lock of {where}")
    found = {}
    for name, each in told.items():
        size, digest = (each.get(key) for key in ("size", "sha256")) if isinstance(each, dict) else (None, None)
        if type(size) is not int or size < 0 or not isinstance(digest, str) or not SHA256.fullmatch(digest):
            raise CorruptError(f"the zoo.lock of {where} lists {name[:80]!r} without size and digest")
        found[name] = Blob(size, digest)
    return found
