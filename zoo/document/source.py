"""A text and where it came from: reading with limits, lines for carets."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from zoo.errors import ExitCode, Problem, SpecError, UsageError

MAX_BYTES = 256 * 1024
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # libyaml counts lines by all of these
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENCODINGS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True)
class Source:
    """A YAML text, the name it is cited by, and the folder its relative paths start from.

    `shown` is what a problem shows in place of the text, line by line and column by column.
    """

    text: str
    name: str
    folder: Path = field(default_factory=Path)
    shown: str = ""

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, counted as the YAML parser counts them."""
        return _LINE_BREAK.split(self.shown or self.text)

    def line(self, number: int) -> str:
        """A line, counted from 1; "" past the end, where the parser may look for more."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a file: UTF-8, at most 256 KiB, printable.

        Raises:
            UsageError: There is no such file, or it cannot be read.
            SpecError: It is too large, in another encoding, or holds control characters; the place is told.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise UsageError(f"{path}: no such file") from None
        except IsADirectoryError:
            raise UsageError(f"{path}: is a folder; give the YAML file") from None
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
        return cls(_decode(data, str(path)), str(path), path.parent).checked()

    def checked(self) -> Self:
        """Itself, when the text is within the limits that hold for every text.

        Raises:
            SpecError: It is too large or holds control characters.
        """
        if len(self.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _refusal(self.name, "", f"the text is larger than {MAX_BYTES // 1024} KiB")
        unprintable = _UNPRINTABLE.search(self.text)
        if unprintable:
            message = f"the character U+{ord(unprintable.group()):04X} is not allowed in YAML"
            raise _refusal(self.name, self.text, message, unprintable.start())
        return self

    def problem(
        self,
        line: int,
        column: int,
        path: str,
        message: str,
        *,
        suggestion: str | None = None,
        hint: str = "",
        length: int = 1,
        exit_code: int = ExitCode.USAGE,
    ) -> Problem:
        """A problem at a place of this text, with its line attached."""
        return Problem(self.name, line, column, path, message, suggestion, hint, self.line(line), length, exit_code)


def _decode(data: bytes, name: str) -> str:
    """UTF-8 with or without a mark; every other encoding is named and refused."""
    if len(data) > MAX_BYTES:
        raise _refusal(name, "", f"the file is larger than {MAX_BYTES // 1024} KiB")
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            raise _refusal(name, "", f"the file is in {encoding}; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        readable = data.decode("utf-8", "replace")
        raise _refusal(name, readable, message, len(data[: error.start].decode("utf-8", "replace"))) from None


def _refusal(name: str, text: str, message: str, offset: int = 0) -> SpecError:
    """An error at a character offset of a text that is not parsed at all."""
    before = _LINE_BREAK.split(text[:offset])
    return SpecError([Source(text, name).problem(len(before), len(before[-1]) + 1, "", message)])
