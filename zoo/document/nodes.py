"""The tree of a YAML text: every scalar, list and mapping knows its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeAlias

from zoo.document.source import Source
from zoo.errors import ExitCode, Problem

Path: TypeAlias = tuple[str | int, ...]


@dataclass(eq=False, slots=True, kw_only=True)
class _Placed:
    """A part of a text. `line` and `column` count from 1; `length` is what a caret underlines."""

    source: Source
    line: int
    column: int
    length: int = 1

    @property
    def origin(self) -> str:
        """The place in words: `spec.yaml:12`, or the name alone of a text that is no file."""
        name = self.source.name
        return name if name.startswith("--") else f"{PurePath(name).name}:{self.line}"

    def problem(
        self,
        path: Path,
        message: str,
        *,
        suggestion: str | None = None,
        hint: str = "",
        exit_code: int = ExitCode.USAGE,
    ) -> Problem:
        """A problem at this place."""
        return self.source.problem(
            self.line,
            self.column,
            dotted(path),
            message,
            suggestion=suggestion,
            hint=hint,
            length=self.length,
            exit_code=exit_code,
        )


@dataclass(eq=False, slots=True, kw_only=True)
class Scalar(_Placed):
    """A leaf: its value by YAML 1.2 core rules, and its text as it is written."""

    text: str
    value: Any
    plain: bool = True


@dataclass(eq=False, slots=True, kw_only=True)
class Sequence(_Placed):
    """A list."""

    items: list["Node"]


@dataclass(eq=False, slots=True, kw_only=True)
class Mapping(_Placed):
    """A mapping, in the order of the text. Keys are texts."""

    items: dict[str, tuple[Scalar, "Node"]]

    def __contains__(self, key: str) -> bool:
        return key in self.items

    def key(self, name: str) -> Scalar:
        """The key as a place in the text."""
        return self.items[name][0]

    def value(self, name: str) -> "Node":
        """What stands under the key."""
        return self.items[name][1]

    def pairs(self) -> Iterator[tuple[Scalar, "Node"]]:
        """Keys with their values, in the order of the text."""
        return iter(self.items.values())


Node: TypeAlias = Scalar | Sequence | Mapping


def at(node: Node, path: Path) -> Node | None:
    """What stands at a path below the node; None where there is nothing, or null."""
    for step in path:
        if isinstance(node, Mapping) and step in node.items:
            node = node.value(str(step))
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return None if isinstance(node, Scalar) and node.value is None else node


def plain(node: Node) -> Any:
    """The node as Python values: None, bool, int, float, str, list, dict."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.pairs()}


def found(node: Node) -> str:
    """The node in words, for "expected ..., not ..."."""
    if isinstance(node, Sequence):
        return f"a list of {len(node.items)}" if node.items else "an empty list"
    if isinstance(node, Mapping):
        return "a mapping" if node.items else "an empty mapping"
    if node.value is None:
        return "nothing" if not node.text else f"`{node.text}` (nothing)"
    shown = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    return f"the text `{shown}`" if isinstance(node.value, str) else f"`{shown}`"


def dotted(path: Path) -> str:
    """`inputs.photo.columns[0]` for `("inputs", "photo", "columns", 0)`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
