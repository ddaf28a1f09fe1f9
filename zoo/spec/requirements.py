"""Distributions that must be installed, with the pip line that would mend it: `requires:`, and what components need."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from zoo.document.nodes import Mapping, Node, Path, Scalar, at
from zoo.errors import ExitCode, Problem
from zoo.spec.edges import Parts

DISTRIBUTION = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
"""A distribution's name (PEP 508). Nothing else of a stranger's spec may stand in a line for the user's shell."""


def requirement_problems(root: Mapping, parts: Parts) -> Iterator[Problem]:
    """Distributions that are missing, too old or too new. Exit code 3 if nothing else is wrong.

    Args:
        root: The spec, whose `requires:` maps distributions to versions.
        parts: The components that it names, each with its place and with what it needs.
    """
    wrong: list[tuple[Node, Path, str, str]] = []
    required = at(root, ("requires",))
    for key, value in required.pairs() if isinstance(required, Mapping) else ():
        if not isinstance(value, Scalar) or value.value is None:
            continue
        path: Path = ("requires", key.text)
        if not re.fullmatch(DISTRIBUTION, key.text):
            yield key.problem(path, f"`{key.text}` is no name of a distribution", hint="write it like zoo-acme: '>=2'")
            continue
        try:
            message = missing(key.text, _range(value.text))
        except ValueError as error:
            yield value.problem(path, f"`{value.text}` is no version range: {error}", hint="write it like '>=2,<3'")
            continue
        if message:
            wrong.append((key, path, message, key.text + _range(value.text)))
    for path, (registered, node) in parts.items():
        for needed in registered.component.requires:
            if message := _unmet(needed):
                wrong.append((node, path, f"`{registered.name}` needs more: {message}", needed))
    line = " ".join(dict.fromkeys(f'"{needed}"' for _, _, _, needed in wrong))
    for place, path, message, _ in wrong:
        yield place.problem(path, message, hint=f"pip install {line}", exit_code=ExitCode.PLUGIN)


def missing(name: str, wanted: str) -> str:
    """What is wrong with an installed distribution, or "".

    Args:
        name: Its name.
        wanted: A version range (PEP 440), or "" for any version.

    Raises:
        ValueError: The range is none.
    """
    from packaging.specifiers import SpecifierSet

    if not re.fullmatch(r"[\w.,<>=!~*+ -]*", wanted, re.ASCII):
        raise ValueError("only versions and comparisons can stand here")  # `===` would let anything in
    allowed = SpecifierSet(wanted)
    try:
        have = version(name)
    except PackageNotFoundError:
        return f"the distribution `{name}` is not installed"
    return "" if allowed.contains(have, prereleases=True) else f"`{name}` is {have}, wanted is {wanted}"


def _range(text: str) -> str:
    """`2` is short for `==2`, and `*` for any version."""
    text = text.strip()
    if text in ("", "*"):
        return ""
    return f"=={text}" if text[0].isdigit() else text


def _unmet(requirement: str) -> str:
    """What is wrong with a requirement as pip takes it, or ""; one whose marker does not hold here is met."""
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    if parsed.marker is not None and not parsed.marker.evaluate():
        return ""
    return missing(parsed.name, str(parsed.specifier))
