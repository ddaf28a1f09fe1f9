"""The local files that a spec names, as far as `zoo check` looks at them: that they are there, and a table's header."""

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.document.fields import fields_of
from zoo.document.nodes import Mapping, Node, Scalar, Sequence, dotted
from zoo.document.nodes import Path as KeyPath
from zoo.errors import Problem, UsageError, nearest
from zoo.spec.sections import Backbone, Head, Input, Spec

HEADER_BYTES = 1 << 20


def file_problems(spec: Spec, root: Mapping) -> Iterator[Problem]:
    """Files that are not there or cannot be read, and columns that the tables do not have.

    Args:
        spec: The checked spec.
        root: The tree that it was made from, for the places.
    """
    yield from _weight_problems(spec, root)
    tables: dict[str, list[str]] = {}
    for path, name in _paths(spec):
        try:
            columns = header(spec.folder / name)
        except UsageError as error:
            yield _node(root, path).problem(path, f"`{dotted(path)}`: {error}", hint="paths start at the spec's folder")
            continue
        if columns is not None:
            tables.setdefault(name, columns)
            yield from _column_problems(spec, root, name, columns, path)


def header(path: Path) -> list[str] | None:
    """The column names of a table: Parquet, CSV, TSV or JSON lines. None for a folder or another kind of file.

    Raises:
        UsageError: It is not there, empty, or not what its name says.
    """
    if not _exists(path):
        raise UsageError(f"`{path}`: no such file or folder")
    reader = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if path.is_dir() or reader is None:
        return None
    try:
        columns = reader(path)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise UsageError(f"`{path}` cannot be read as {path.suffix}: {error}") from None
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise UsageError(f"`{path}` has two columns `{twice[0]}`")
    return columns


def _parquet(path: Path) -> list[str]:
    from pyarrow import parquet

    names: list[str] = parquet.read_schema(path).names
    return names


def _csv(path: Path) -> list[str]:
    # What follows the header is not looked at, though a piece of it is decoded along: hence "surrogateescape".
    with path.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as file:
        lines = islice(iter(partial(file.readline, HEADER_BYTES), ""), 1000)
        rows = csv.reader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        columns = next(filter(None, rows), [])
    if not columns:
        raise ValueError("it is empty")
    if any("\udc80" <= character <= "\udcff" for character in "".join(columns)):
        raise ValueError("its header is not UTF-8")
    return columns


def _json_lines(path: Path) -> list[str]:
    """The keys of the rows in the first MiB: a row may leave out what it does not have."""
    names: dict[str, None] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file.readlines(HEADER_BYTES), 1):
            row: Any = None
            with suppress(ValueError):
                row = json.loads(line) if line.strip() else {}
            if not isinstance(row, dict):
                raise ValueError(f"its line {number} is not a JSON object")
            names |= dict.fromkeys(row)
    if not names:
        raise ValueError("it is empty")
    return list(names)


def _paths(spec: Spec) -> Iterator[tuple[KeyPath, str]]:
    """The tables that the spec names, with the path of the key that names each."""
    for index, table in enumerate(spec.data.train):
        yield ("data", "train", index, "path"), table.path
    if isinstance(spec.data.validation, str):
        yield ("data", "validation"), spec.data.validation
    if spec.data.test is not None:
        yield ("data", "test"), spec.data.test


def _column_problems(spec: Spec, root: Mapping, table: str, columns: list[str], source: KeyPath) -> Iterator[Problem]:
    for path, wanted in _wanted(spec, source):
        if wanted not in columns:
            message = f"`{dotted(path)}`: `{table}` has no column `{wanted}`"
            hint = f"its columns: {', '.join(columns[:20])}{', ...' if len(columns) > 20 else ''}"
            yield _node(root, path).problem(path, message, suggestion=nearest(wanted, columns), hint=hint)


def _wanted(spec: Spec, source: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Every column that the spec reads from the table that `source` names, with the path of the key that says so."""
    training = source[1] == "train"
    heads = spec.data.train[int(source[2])].heads if training else None
    parts: list[tuple[KeyPath, Input | Head]] = [(("inputs", name), part) for name, part in spec.inputs.items()]
    parts += [(("heads", name), head) for name, head in spec.heads.items() if heads is None or name in heads]
    for path, part in parts:
        if part.column is not None:
            yield (*path, "column"), part.column
        for name, field in fields_of(part.registered.component.options).items():
            value = getattr(part.options, name)
            if field.columns and isinstance(value, str):
                yield (*path, name), value
            elif field.columns and isinstance(value, list):
                yield from (((*path, name, index), column) for index, column in enumerate(value))
    if training and spec.evaluate.groups is not None:
        yield ("evaluate", "groups"), spec.evaluate.groups


def _weight_problems(spec: Spec, root: Mapping) -> Iterator[Problem]:
    """`weights:` that name a local file or folder which is not there."""
    for name, part in spec.inputs.items():
        weights = part.backbone.weights if isinstance(part.backbone, Backbone) else "none"
        if weights in ("pretrained", "none") or weights.startswith("hf://"):
            continue
        path: KeyPath = ("inputs", name, "backbone", "weights")
        file, _, _ = weights.partition("#")
        if not _exists(spec.folder / file):
            hint = "or did you mean `pretrained`?" if nearest(weights, ["pretrained"]) else ""
            yield _node(root, path).problem(path, f"`{dotted(path)}`: `{file}`: no such file or folder", hint=hint)


def _exists(path: Path) -> bool:
    """Whether a file or folder is there; none has a name too long for the disk, or one in a folder closed to us."""
    try:
        return path.exists()
    except OSError:
        return False


def _node(root: Mapping, path: KeyPath) -> Node:
    """The node at a path, or what stands for it: the key where there is no plain value, the short form, the parent."""
    node: Node = root
    place: Node = root
    for step in path:
        if isinstance(node, Mapping) and step in node.items:
            key, node = node.items[str(step)]
            place = node if isinstance(node, Scalar) and node.value is not None else key
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = place = node.items[step]
        else:
            break
    return place
