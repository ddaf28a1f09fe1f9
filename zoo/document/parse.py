"""YAML text to nodes.

What a spec never needs and an attacker does is refused at its line while the tree is built: anchors, aliases, merge
keys, tags, duplicate keys, several documents, and depth beyond 32.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from zoo.document.nodes import Mapping, Node, Scalar, Sequence
from zoo.document.scalars import resolve
from zoo.document.source import Source
from zoo.errors import MOST_PROBLEMS, Problem, SpecError

MAX_DEPTH = 32
ADVICE = {
    "did not find expected key": "check the indentation, here and above",
    "mapping values are not allowed": "no colon with a space can stand here: check the indentation, or quote the text",
    "could not find expected ':'": "a key needs a colon and a space behind it",
    "expected comment or line break": "quote a text that starts with > or |, such as '>=2'",
    "cannot start any token": "quote the text that starts with this character",
    "did not find expected ',' or": "a comma or a closing bracket is missing before this",
}
"""What to do about the parser's complaints, by words in them."""
OPENING = ("[", "{", "'", '"')
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_START = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_END = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def parse(source: Source) -> Node:
    """The one document of the text.

    Raises:
        SpecError: All refusals at once, each at its place; or the syntax error that stopped the parser.
    """
    return _Composer(source).document()


class _Composer:
    """Builds nodes from the parser's events, counting depth and collecting refusals as it goes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.open_nodes: list[Node] = []

    def document(self) -> Node:
        try:
            root = self._compose(iter(yaml.parse(self.source.text, Loader=_LOADER)))
        except yaml.MarkedYAMLError as error:
            self.problems.append(_syntax_error(self.source, error, self.open_nodes))
            raise SpecError(self.problems) from None
        if self.problems:
            raise SpecError(self.problems)
        return root or Scalar(source=self.source, line=1, column=1, text="", value=None)

    def _compose(self, events: Iterator[Any]) -> Node | None:
        """Walks the events with a stack of its own, so that depth is a number and not a crash."""
        root: Node | None = None
        open_nodes = self.open_nodes
        pending: list[Scalar | None] = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._check_document(event, second=root is not None)
            elif isinstance(event, _END):
                open_nodes.pop()
                pending.pop()
            elif isinstance(event, yaml.NodeEvent):
                node = self._node(event)
                if not open_nodes:
                    root = root or node
                else:
                    self._attach(open_nodes[-1], pending, node)
                if isinstance(event, _START):
                    if len(open_nodes) >= MAX_DEPTH:
                        self._refuse(node.line, node.column, f"nested deeper than {MAX_DEPTH} levels")
                        raise SpecError(self.problems)
                    open_nodes.append(node)
                    pending.append(None)
        return root

    def _check_document(self, event: Any, second: bool) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if second:
            self._refuse(line, column, "a second document; one file holds one")
            raise SpecError(self.problems)
        if event.version or event.tags:
            self._refuse(line, column, "directives (%YAML, %TAG) are not allowed")

    def _node(self, event: Any) -> Node:
        """The event as a node without children, its anchors and tags refused."""
        start, end = event.start_mark, event.end_mark
        line, column = start.line + 1, start.column + 1
        if isinstance(event, yaml.AliasEvent):
            self._refuse(line, column, f"the alias `*{event.anchor}` is not allowed: write the value out")
        elif event.anchor:
            self._refuse(line, column, f"the anchor `&{event.anchor}` is not allowed: write the value out")
        if tag := getattr(event, "tag", None):
            tag = tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(line, column, f"the tag `{tag}` is not allowed: values are plain data")
        length = max(1, end.column - start.column) if end.line == start.line else 1
        place = {"source": self.source, "line": line, "column": column, "length": length}
        if isinstance(event, yaml.MappingStartEvent):
            return Mapping(items={}, **place)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(items=[], **place)
        return self._scalar(event, place)

    def _scalar(self, event: Any, place: dict[str, Any]) -> Scalar:
        text = getattr(event, "value", "")
        if getattr(event, "style", None) not in (None, ""):
            return Scalar(text=text, value=text, plain=False, **place)
        try:
            return Scalar(text=text, value=resolve(text), **place)
        except ValueError as error:
            self._refuse(place["line"], place["column"], f"{error} is not a value")
            return Scalar(text=text, value=0, **place)

    def _attach(self, parent: Node, pending: list[Scalar | None], node: Node) -> None:
        """Puts a node under its parent: in a mapping first as the key, then as its value."""
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        assert isinstance(parent, Mapping)
        key = pending[-1]
        if key is None:
            pending[-1] = self._key(parent, node)
            return
        parent.items.setdefault(key.text, (key, node))
        pending[-1] = None

    def _key(self, parent: Mapping, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            self._refuse(node.line, node.column, "a key must be a text, not a list or a mapping")
            return Scalar(source=self.source, line=node.line, column=node.column, text=f"\0{id(node)}", value=None)
        if node.plain and node.text == "<<":
            self._refuse(node.line, node.column, "the merge key `<<` is not allowed: write the keys out", 2)
        elif node.text in parent:
            first = parent.key(node.text)
            message = f"the key `{node.text}` is already at line {first.line}"
            self._refuse(node.line, node.column, message, node.length)
        return node

    def _refuse(self, line: int, column: int, message: str, length: int = 1) -> None:
        self.problems.append(self.source.problem(line, column, "", message, length=length))
        if len(self.problems) >= MOST_PROBLEMS:
            raise SpecError(self.problems)


def _after(source: Source, mark: Any) -> str:
    """What stands behind a mark of the parser."""
    lines = source.lines[mark.line :]
    return "\n".join([lines[0][mark.column :], *lines[1:]]) if lines else ""


def _syntax_error(source: Source, error: yaml.MarkedYAMLError, open_nodes: list[Node]) -> Problem:
    """The parser's complaint: at what was never closed, if it ran to the end of the text in search of the end."""
    mark = error.problem_mark or error.context_mark
    told = " ".join(filter(None, [error.problem, error.context]))
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if mark and not _after(source, mark).strip():
        opened = [(node.line, node.column) for node in open_nodes]
        opened += [(error.context_mark.line + 1, error.context_mark.column + 1)] if error.context_mark else []
        opened = [(row, start) for row, start in opened if source.line(row).startswith(OPENING, start - 1)]
        if opened:
            (line, column), told = opened[-1], "this is never closed"
    tabbed = source.line(line)[:column].lstrip(" ").startswith("\t")
    advice = (advice for words, advice in ADVICE.items() if words in told)
    hint = "indent with spaces, not with tabs" if tabbed else next(advice, "")
    return source.problem(line, column, "", f"not valid YAML: {told}", hint=hint)
