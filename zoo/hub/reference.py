"""What a shared model is called: `org/name`, `hf://org/name@revision`, `file:///folder@revision`."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.errors import UsageError

COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?"
_REVISION = r"[\w.-]+(?:/[\w.-]+)*"
_HUB = re.compile(rf"(?:hf://)?({_NAME}/{_NAME})(?:@({_REVISION}))?", re.ASCII)
_FOLDER = re.compile(rf"file://(/[^@]*)(?:@({_REVISION}))?", re.ASCII)


@dataclass(frozen=True)
class Reference:
    """A shared model.

    Args:
        place: `owner/name` on the Hub, or the folder of a store.
        folder: Whether it is a folder.
        revision: A commit in 40 hexadecimal digits, a branch or a tag; None is `main`.
    """

    place: str
    folder: bool = False
    revision: str | None = None

    def __str__(self) -> str:
        return f"{'file' if self.folder else 'hf'}://{self.place}{f'@{self.revision}' if self.revision else ''}"

    @property
    def name(self) -> str:
        """What the model itself is called."""
        return Path(self.place).name

    @property
    def pinned(self) -> bool:
        """Whether it says a commit, which is the same for ever."""
        return self.revision is not None and COMMIT.fullmatch(self.revision) is not None

    def at(self, revision: str | None) -> "Reference":
        """The same model at another revision."""
        return replace(self, revision=revision)


def read_reference(text: str) -> Reference:
    """The model that a text means.

    Raises:
        UsageError: It means none.
    """
    if text.startswith("file:"):
        found = _FOLDER.fullmatch(text)
        if found is None or ".." in Path(found[1]).parts or found[1].strip("/") == "":
            raise UsageError(
                f"`{text}` names no folder; write file:///absolute/folder, or file:///absolute/folder@COMMIT"
            )
        return Reference(found[1].rstrip("/"), True, found[2])
    found = _HUB.fullmatch(text)
    if found is None or ".." in text or "--" in text:
        hint = "write owner/name, owner/name@revision, or file:///absolute/folder"
        raise UsageError(f"`{text}` is no name of a shared model; {hint}")
    return Reference(found[1], False, found[2])
