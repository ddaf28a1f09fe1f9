"""Entry points: which distribution each came with, and which of them `ZOO_PLUGINS` names."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, EntryPoint


def origin(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution that an entry point came with."""
    return _identity(point.dist) if point.dist else ("unknown", "?")


@cache
def _identity(distribution: Distribution) -> tuple[str, str]:
    """Name and version; reading them parses the metadata anew each time. A damaged installation may have neither."""
    try:
        return distribution.name or "unknown", distribution.version or "?"
    except (KeyError, TypeError, AttributeError):
        return "unknown", "?"


def narrowed(points: Iterable[EntryPoint], wanted: str) -> tuple[list[EntryPoint], list[str]]:
    """The entry points that are wanted, and what is wanted and not installed.

    Whoever names a distribution that claims a namespace of zoo's own does not rid it of zoo's own claim.

    Args:
        points: All that are installed.
        wanted: Names of plugins with commas between; `distribution:name` of one that two distributions claim.
    """
    names = {name.strip() for name in wanted.split(",") if name.strip()}
    calls = [(point, {point.name, f"{origin(point)[0]}:{point.name}"}) for point in points]
    missing = sorted(names.difference(*(called for _, called in calls)))
    plain = {name.rpartition(":")[2] for name in names}
    kept = [point for point, called in calls if called & names or (origin(point)[0] == "zoo" and point.name in plain)]
    return kept, missing
