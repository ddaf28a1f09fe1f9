"""Plain data as YAML in one fixed style: block mappings, lists of scalars on one line, quotes only where needed."""

from typing import Any, TypeAlias

from zoo.document.nodes import Path
from zoo.document.scalars import write

Line: TypeAlias = tuple[str, Path]


def write_yaml(data: Any) -> str:
    """A text that `parse` gives back as the same data.

    Args:
        data: None, bools, numbers, texts, and lists and dicts of them.
    """
    if isinstance(data, dict) and data:
        return "".join(f"{text}\n" for text, _ in lines_of(data))
    if _is_deep(data):
        return "".join(f"{text}\n" for text, _ in _items(data, (), 0))
    return _flow(data) + "\n"


def lines_of(data: dict[str, Any], path: Path = (), depth: int = 0) -> list[Line]:
    """Lines of a block mapping, each with the path of the leaf that it holds (`()` for lines that hold none)."""
    lines: list[Line] = []
    for key, value in data.items():
        lines += _entry(f"{'  ' * depth}{_flow_item(key)}:", value, (*path, key), depth)
    return lines


def _entry(label: str, value: Any, path: Path, depth: int) -> list[Line]:
    if isinstance(value, dict) and value:
        return [(label, ()), *lines_of(value, path, depth + 1)]
    if _is_deep(value):
        return [(label, ()), *_items(value, path, depth + 1)]
    return [(f"{label} {_flow(value)}", path)]


def _items(items: list[Any], path: Path, depth: int) -> list[Line]:
    """Elements of a block list: the first line of each stands behind its dash."""
    lines: list[Line] = []
    dash = "  " * depth + "- "
    for index, item in enumerate(items):
        here = (*path, index)
        if (isinstance(item, dict) and item) or _is_deep(item):
            inner = lines_of(item, here, depth + 1) if isinstance(item, dict) else _items(item, here, depth + 1)
            lines += [(dash + inner[0][0].lstrip(" "), inner[0][1]), *inner[1:]]
        else:
            lines.append((dash + _flow(item), here))
    return lines


def _is_deep(value: Any) -> bool:
    """Whether a value is a list that does not fit on one line: one that holds a list or a mapping with something in."""
    return isinstance(value, list) and any(isinstance(item, (dict, list)) and item for item in value)


def _flow(value: Any) -> str:
    """A leaf on one line."""
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return f"[{', '.join(_flow_item(item) for item in value)}]"
    return write(value)


def _flow_item(item: Any) -> str:
    """A key, or an element of a list on one line: a text in which a mark would end it is quoted."""
    text = _flow(item)
    if isinstance(item, str) and text[0] not in "'\"" and any(mark in text for mark in ",[]{}:?"):
        return "'" + text.replace("'", "''") + "'"
    return text
