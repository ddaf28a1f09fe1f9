"""What can go wrong, told to the user: exit codes, places in files, carets, "did you mean"."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What `zoo` returns to the shell."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    PLUGIN = 3
    CORRUPT = 4
    DIGEST = 5
    NETWORK = 6
    CONFLICT = 7
    INTERRUPTED = 130


class ZooError(Exception):
    """A failure that is told in words, without a traceback. Subclasses fix the exit code."""

    exit_code: int = ExitCode.DEFECT


class UsageError(ZooError):
    """Wrong use: an unknown name, a wrong spec, a file that is not there."""

    exit_code = ExitCode.USAGE


class PluginError(ZooError):
    """A plugin is missing, or it is installed and broken."""

    exit_code = ExitCode.PLUGIN


class BuildError(PluginError):
    """A component is here and raises something where it is built: it is broken, or what it is built from is."""


class CorruptError(ZooError):
    """A file is damaged, unsafe, or does not fit what it belongs to."""

    exit_code = ExitCode.CORRUPT


class DigestError(ZooError):
    """A file or tensor is whole and is not the one that was written."""

    exit_code = ExitCode.DIGEST


class NetworkError(ZooError):
    """The Hub or another server cannot be reached, or does not have what was asked for."""

    exit_code = ExitCode.NETWORK


class ConflictError(ZooError):
    """Something is there already that would be lost."""

    exit_code = ExitCode.CONFLICT


class Interrupted(ZooError):
    """Work was interrupted by a signal, and what was done is saved. The exit code is 128 and the signal's number."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class UnknownName(UsageError):
    """Nothing is registered under this name. `suggestion` is the nearest name that is, or None."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(f"{message}; did you mean `{suggestion}`?" if suggestion else message)
        self.message = message
        self.suggestion = suggestion


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place of a text.

    Args:
        file: Name of the text: a path, or `--set`.
        line: From 1.
        column: From 1, in characters.
        path: Keys that lead to the place: `inputs.photo.backbone`.
        message: What is wrong.
        suggestion: Nearest valid word, or None.
        hint: A sentence that says what to do next, or "".
        text: The line itself.
        length: How many characters the caret underlines.
        exit_code: What the command returns if nothing worse is found.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str | None = None
    hint: str = ""
    text: str = ""
    length: int = 1
    exit_code: int = ExitCode.USAGE

    def __str__(self) -> str:
        advice = f"did you mean `{self.suggestion}`?" if self.suggestion else ""
        advice = " ".join(filter(None, [advice, self.hint]))
        gutter = str(self.line)
        excerpt, indent, underline = _excerpt(self.text, self.column, self.length)
        return "\n".join(
            [
                f"{self.file}:{self.line}:{self.column}: {self.message}",
                f"  {gutter} | {excerpt}",
                f"  {' ' * len(gutter)} | {' ' * indent}{'^' * underline} {advice}".rstrip(),
            ]
        )

    def as_dict(self) -> dict[str, object]:
        """The JSON shape of `zoo check --json`."""
        shown = ("file", "line", "column", "path", "message", "suggestion", "hint")
        return {name: getattr(self, name) for name in shown}


MOST_PROBLEMS = 100
"""Problems of a text that are told: somebody who means harm can have any number of them."""


class SpecError(UsageError):
    """Everything that is wrong with a text, at once, up to `MOST_PROBLEMS`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        found = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
        self.problems = tuple(found[:MOST_PROBLEMS])
        more = [f"no more than {MOST_PROBLEMS} errors are told at once"] if len(found) >= MOST_PROBLEMS else []
        super().__init__("\n\n".join([*map(str, self.problems), *more]))

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # a class attribute elsewhere; here the problems decide
        """3 when all that is wrong is a missing or broken plugin, else 2."""
        codes = {problem.exit_code for problem in self.problems}
        return codes.pop() if len(codes) == 1 else ExitCode.USAGE


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was most likely meant to be, or None when none is near.

    Nearness is difflib's similarity (Ratcliff and Obershelp, 1988), at least 0.65. The same word but for case is nearer
    than any other; a longer one that `word` begins, up to a boundary, is nearer than all but a slip of a letter; `repo`
    and `repository` are just near enough. Between candidates as near as each other the shorter wins, then the alphabet.
    """
    from difflib import SequenceMatcher

    word = word.casefold()
    best: tuple[float, int, str] | None = None
    matcher: SequenceMatcher[str] = SequenceMatcher(autojunk=False)
    matcher.set_seq2(word)
    floor = 0.65
    for candidate in sorted(set(candidates)):
        folded = candidate.casefold()
        closeness = _beginning(word, folded)
        if not closeness:
            matcher.set_seq1(folded)
            if matcher.real_quick_ratio() < floor or matcher.quick_ratio() < floor:
                continue
            closeness = matcher.ratio()
        if closeness >= floor and (best is None or (closeness, -len(candidate)) > best[:2]):
            best = (closeness, -len(candidate), candidate)
            floor = closeness
    return best[2] if best else None


def _beginning(word: str, candidate: str) -> float:
    """How near two words are of which one begins the other: 2 if they are the same, 0 if neither does."""
    if word == candidate:
        return 2.0
    short, long = sorted((word, candidate), key=len)
    if len(short) < 3 or not long.startswith(short):
        return 0.0
    return 0.97 if short == word and not long[len(short)].isalnum() else 0.66


def listed(words: Iterable[str], limit: int = 12) -> str:
    """Words as a sentence's end: `a, b, c` or, past the limit, `a, b, ... (37 in all)`."""
    known = sorted(words)
    shown = ", ".join(known[:limit])
    return f"{shown}, ... ({len(known)} in all)" if len(known) > limit else shown


def _excerpt(text: str, column: int, length: int, width: int = 72) -> tuple[str, int, int]:
    """A window of the line around the caret, with the caret's offset and length in terminal cells."""
    start = max(0, min(column - 1 - width // 2, len(text) - width))
    window = "".join(each if each.isprintable() else " " for each in text[start : start + width])
    before, marked = window[: column - 1 - start], window[column - 1 - start : column - 1 - start + length]
    left, right = "... " if start else "", " ..." if start + width < len(text) else ""
    return left + window + right, len(left) + _cells(before), max(1, _cells(marked))


def _cells(text: str) -> int:
    """Columns that a terminal needs for the text: wide East Asian characters take two, combining marks none."""
    import unicodedata

    widths = (0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return sum(widths)
