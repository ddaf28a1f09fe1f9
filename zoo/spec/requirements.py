"""`requires:` against the installed distributions, with the pip line that would mend it."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from zoo.document.nodes import Mapping, Path, Scalar, at
from zoo.errors import ExitCode, Problem


def requirement_problems(root: Mapping) -> Iterator[Problem]:
    """Distributions that the spec requires and that are missing, too old or too new. Exit code 3 if nothing else is."""
    required = at(root, ("requires",))
    if not isinstance(required, Mapping):
        return
    lines: list[str] = []
    wrong: list[tuple[Scalar, str]] = []
    for key, value in required.pairs():
        if not isinstance(value, Scalar) or value.value is None:
            continue
        try:
            message = _compare(key.text, value.text)
        except ValueError as error:
            path: Path = ("requires", key.text)
            yield value.problem(path, f"`{value.text}` is no version range: {error}", hint="write it like '>=2,<3'")
            continue
        if message:
            wrong.append((key, message))
            lines.append(f'"{key.text}{_range(value.text)}"')
    for key, message in wrong:
        hint = f"pip install {' '.join(lines)}"
        yield key.problem(("requires", key.text), message, hint=hint, exit_code=ExitCode.PLUGIN)


def _range(text: str) -> str:
    """`2` is short for `==2`, and `*` for any version."""
    text = text.strip()
    if text in ("", "*"):
        return ""
    return f"=={text}" if text[0].isdigit() else text


def _compare(name: str, wanted: str) -> str:
    """What is wrong with the installed version, or ""."""
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(_range(wanted))
    try:
        have = version(name)
    except PackageNotFoundError:
        return f"the distribution `{name}` is not installed"
    return "" if allowed.contains(have, prereleases=True) else f"`{name}` is {have}, wanted is {wanted}"
