"""`--set path=value`: one value of the spec, said on the command line."""

import re
from collections.abc import Sequence as Several
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

from zoo.document.check import under
from zoo.document.fields import section_in, sections_under, shorthand_of
from zoo.document.nodes import Mapping, Node, Scalar, Sequence
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.errors import SpecError, UsageError
from zoo.spec.sections import Spec


def override(root: Node, changes: Several[str]) -> Node:
    """The tree with each change applied. A short form on the way (`backbone: timm/resnet18`) is written out first.

    Args:
        root: The spec as it is written.
        changes: `path=value`, the path with dots (`inputs.photo.backbone.weights`, `data.train.0.path` or
            `data.train[0].path`), the value in YAML.

    Raises:
        UsageError: A change without `=`, or a path that leads through a plain value or past the end of a list.
        SpecError: The value is no valid YAML.
    """
    for change in changes:
        path, equals, text = change.partition("=")
        steps = re.sub(r"\[(\d+)\]", r".\1", path.strip()).split(".")
        if not equals or not all(steps):
            raise UsageError(f"--set {change}: write it as path=value, such as --set train.epochs=3")
        if "\n" not in text:
            text = " " * (len(path) + 1) + text  # so that a place in the value is the same place in the change
        try:
            value = parse(Source(text, "--set", shown=change).checked())
        except SpecError as error:
            raise SpecError([replace(problem, path=path) for problem in error.problems]) from None
        root = _set(root, steps, value, Spec, change)
    return root


def _set(node: Node | None, steps: list[str], value: Node, hint: Any, change: str) -> Node:
    """A copy of the node in which the value stands under the steps."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step.isdecimal() and sections_under(hint, list) and not isinstance(node, Sequence):
        # One table stands for a list of one.
        first = node or Scalar(source=value.source, line=1, column=1, text="", value=None)
        node = Sequence(source=first.source, line=first.line, column=first.column, length=first.length, items=[first])
    if isinstance(node, Sequence):
        if not step.isdecimal() or int(step) >= len(node.items):
            raise UsageError(f"--set {change}: the list has {len(node.items)} items; count from 0, not `{step}`")
        items = list(node.items)
        items[int(step)] = _set(items[int(step)], rest, value, _below(hint, step), change)
        return replace(node, items=items)
    mapping = _as_mapping(node, value, hint, step, change)
    key = mapping.key(step) if step in mapping else _key(step, value.source)
    inner = mapping.value(step) if step in mapping else None
    placed = (key, _set(inner, rest, value, _below(hint, step), change))
    return replace(mapping, items=mapping.items | {step: placed})


def _key(step: str, source: Source) -> Scalar:
    """A new key, placed where the change says it."""
    column = source.shown.partition("=")[0].rfind(step) + 1
    return Scalar(source=source, line=1, column=max(1, column), length=len(step), text=step, value=step)


def _as_mapping(node: Node | None, value: Node, hint: Any, step: str, change: str) -> Mapping:
    """The node as a mapping: itself, a new one, or a short form written out."""
    if isinstance(node, Mapping):
        return node
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return Mapping(source=value.source, line=1, column=1, items={})
    short = shorthand_of(section_in(hint) if not is_dataclass(hint) else hint)  # type: ignore[arg-type]  # a class
    if short is None:
        raise UsageError(f"--set {change}: there is a plain value where `{step}` would stand")
    return under(short.name, node)


def _below(hint: Any, step: str) -> Any:
    """The type of what stands under a step, as far as the language itself declares it."""
    for container in (dict, list):
        if element := sections_under(hint, container):
            return element
    section: Any = hint if is_dataclass(hint) else section_in(hint)
    if section is None or step not in {field.name for field in fields(section)}:
        return None
    return get_type_hints(section)[step]
