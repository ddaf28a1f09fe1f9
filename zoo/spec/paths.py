"""Relative paths of a spec: they start at the spec's folder, and a spec that moves takes them along."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from zoo.spec.sections import Backbone, Head, Input, Spec, named_parts
from zoo.spec.sources import is_local

Started = TypeVar("Started", Backbone, Head)
"""A part that starts from weights."""


def moved(spec: Spec, folder: Path) -> Spec:
    """The spec as it must be written in another folder, so that its data and weights are the same files.

    Paths in a component's own options (a tokenizer's folder) stay as they are: zoo cannot tell them from names.

    Args:
        spec: A spec whose relative paths start at `spec.folder`.
        folder: Where it will stand. Absolute paths, Hub references and names of weights stay as they are.
    """
    if folder.resolve() == spec.folder.resolve():
        return spec
    inputs = {name: _moved_input(part, spec.folder, folder) for name, part in spec.inputs.items()}
    heads = {name: _moved_head(head, spec.folder, folder) for name, head in spec.heads.items()}
    there = with_tables_named(spec, lambda name: _moved_table(name, spec.folder, folder))
    return replace(there, inputs=inputs, heads=heads, folder=folder)


def with_tables_named(spec: Spec, named: Callable[[str], str]) -> Spec:
    """The spec with other names of its tables.

    Args:
        spec: The spec.
        named: Gives for a name of a table the other one.
    """
    data = spec.data
    changed = replace(
        data,
        train=[replace(table, path=named(table.path)) for table in data.train],
        validation=named(data.validation) if isinstance(data.validation, str) else data.validation,
        test=named(data.test) if data.test is not None else None,
    )
    return replace(spec, data=changed)


def _moved_input(part: Input, old: Path, new: Path) -> Input:
    if not isinstance(part.backbone, Backbone):
        return part
    return replace(part, backbone=_moved_part(part.backbone, old, new))


def _moved_head(head: Head, old: Path, new: Path) -> Head:
    parts = {name: _moved_part(part, old, new) for name, part in named_parts(head.options).items()}
    options = replace(head.options, **parts) if parts else head.options
    return replace(_moved_part(head, old, new), options=options)


def _moved_part(part: Started, old: Path, new: Path) -> Started:
    return replace(part, weights=_moved_weights(part.weights, old, new))


def _moved_weights(weights: str, old: Path, new: Path) -> str:
    if is_name(weights):
        return weights
    file, mark, rest = weights.partition("#")
    return _moved(file, old, new) + mark + rest


def is_name(weights: str) -> bool:
    """Whether weights are named (`pretrained`, `none`, `hf://owner/name`) and not a file or folder."""
    return weights in ("pretrained", "none") or weights.startswith("hf:")


def _moved_table(name: str, old: Path, new: Path) -> str:
    """A table's name; one that is no path, in memory or on the Hub, is the same everywhere."""
    return _moved(name, old, new) if is_local(name) else name


def _moved(path: str, old: Path, new: Path) -> str:
    return path if Path(path).is_absolute() else Path(os.path.relpath((old / path).resolve(), new.resolve())).as_posix()
