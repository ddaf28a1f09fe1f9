"""Every node knows its line and column, whatever the line breaks and the script."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.document.data import data, unhurried
from zoo.document.nodes import Mapping, Node, Scalar, Sequence, at, dotted
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.document.write import write_yaml
from zoo.errors import SpecError


def walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Sequence):
        for item in node.items:
            yield from walk(item)
    elif isinstance(node, Mapping):
        for key, value in node.pairs():
            yield key
            yield from walk(value)


@unhurried
@given(data, st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_text_of_every_node_stands_at_its_place(value: Any, line_break: str) -> None:
    source = Source(write_yaml(value).replace("\n", line_break), "data.yaml").checked()
    for node in walk(parse(source)):
        there = source.lines[node.line - 1][node.column - 1 :]
        if isinstance(node, Scalar):
            assert there.startswith(node.text) if node.plain else there[0] in "'\""
        elif isinstance(node, Sequence):
            assert there[0] in "[-"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_breaks(line_break: str) -> None:
    root = parse(Source(line_break.join(["# first", "größe: {日本: 1, 😀: 2}", "", "b: x"]), "data.yaml"))
    places = {path: at(root, path) for path in [("größe", "日本"), ("größe", "😀"), ("b",)]}
    assert {path: (node.line, node.column) for path, node in places.items() if node} == {
        ("größe", "日本"): (2, 13),
        ("größe", "😀"): (2, 19),
        ("b",): (4, 4),
    }


def test_lengths() -> None:
    root = parse(Source("größe: 日本語\nquoted: 'a b'\n", "data.yaml"))
    assert isinstance(root, Mapping)
    assert root.key("größe").length == 5
    assert [value.length for _, value in root.pairs()] == [3, 5]


def test_the_caret_stands_under_wide_characters() -> None:
    with pytest.raises(SpecError) as caught:
        parse(Source("日本: {a: 1, a: 2}", "data.yaml"))
    _, line, caret = str(caught.value).splitlines()
    assert line == "  1 | 日本: {a: 1, a: 2}"
    assert caret.index("^") == line.index("a: 2") + len("日本")  # each of these is two columns wide


def test_a_long_line_is_cut_around_its_caret() -> None:
    with pytest.raises(SpecError) as caught:
        parse(Source("a: [" + "1, " * 400 + "*b, " + "2, " * 400 + "]", "data.yaml"))
    _, line, caret = str(caught.value).splitlines()
    assert len(line) < 120
    assert line[caret.index("^") :].startswith("*b")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", (1, 4)),
        ("a: [1, 2\n", (1, 4)),
        ("a: 'x", (1, 4)),
        ("b: 1\na: {\n\n\n", (2, 4)),
        ('a: "x\n\n', (1, 4)),
    ],
)
def test_what_is_never_closed_is_told_where_it_opens(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(SpecError) as caught:
        parse(Source(text, "data.yaml"))
    (problem,) = caught.value.problems
    assert problem.message == "not valid YAML: this is never closed"
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a",), "a"), (("data", "train", 0, "path"), "data.train[0].path"), ((0,), "[0]")],
)
def test_dotted(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text


def test_at_takes_null_for_nothing() -> None:
    root = parse(Source("a: {b: null, c: [x, ~]}", "data.yaml"))
    assert at(root, ("a", "b")) is None
    assert at(root, ("a", "c", 1)) is None
    assert at(root, ("a", "c", 2)) is None
    assert at(root, ("a", "c", 0)) is not None
    assert at(root, ("a", "x", "y")) is None
