"""The local files that a spec names, as far as `zoo check` looks at them: that they are there, and a table's header."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.document.nodes import Mapping, Node, Scalar, Sequence, at, dotted
from zoo.document.nodes import Path as KeyPath
from zoo.errors import Problem, UsageError, nearest
from zoo.spec.paths import is_name
from zoo.spec.sections import Spec

HEADER_BYTES = 1 << 20
NOT_THERE = "no such file or folder"


def file_problems(
    root: Mapping, folder: Path, columns: dict[KeyPath, str], started: Iterable[KeyPath]
) -> Iterator[Problem]:
    """Files that are not there or cannot be read, and columns that the tables do not have.

    Args:
        root: The spec as it is written.
        folder: Where relative paths start.
        columns: Every column that the spec reads, by the path of the key that names it.
        started: Where it names a part that may start from weights.
    """
    yield from _weight_problems(root, folder, started)
    for path, name in table_paths(root):
        try:
            if "://" in name:
                raise UsageError(f"`{name}` is an address; name a local file")
            found = header(folder / name)
        except UsageError as error:
            hint = f"paths start at the spec's folder, {folder.resolve()}" if NOT_THERE in str(error) else ""
            yield _node(root, path).problem(path, f"`{dotted(path)}`: {error}", hint=hint)
            continue
        for column_path, wanted in columns.items():
            if found is not None and wanted not in found and _is_read(root, column_path, path):
                message = f"`{dotted(column_path)}`: `{name}` has no column `{wanted}`"
                hint = f"its columns: {', '.join(found[:20])}{', ...' if len(found) > 20 else ''}"
                suggestion = nearest(wanted, found)
                yield _node(root, column_path).problem(column_path, message, suggestion=suggestion, hint=hint)


def table_paths(root: Mapping) -> Iterator[tuple[KeyPath, str]]:
    """The tables that the spec names, with the path of the key that names each."""
    train = at(root, ("data", "train"))
    tables = train.items if isinstance(train, Sequence) else [train] if train else []
    for index, table in enumerate(tables):
        path = table if isinstance(table, Scalar) else at(table, ("path",))
        if isinstance(path, Scalar):
            yield ("data", "train", index, "path"), path.text
    for name in ("validation", "test"):
        said = at(root, ("data", name))
        if isinstance(said, Scalar) and isinstance(said.value, str):
            yield ("data", name), said.text


def data_folders(spec: Spec) -> list[str]:
    """The folders among the data of a checked spec, into which `zoo check` does not look."""
    paths = [table.path for table in spec.data.train]
    paths += [path for path in (spec.data.validation, spec.data.test) if isinstance(path, str)]
    return [path for path in paths if (spec.folder / path).is_dir()]


def header(path: Path) -> list[str] | None:
    """The column names of a table: Parquet, CSV, TSV or JSON lines. None for a folder.

    Raises:
        UsageError: It is not there, empty, of another kind, or not what its name says.
    """
    if not _exists(path):
        raise UsageError(f"`{path}`: {NOT_THERE}")
    if path.is_dir():
        return None
    if not path.is_file():
        raise UsageError(f"`{path}` is no file")
    reader = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"`{path}` is no table that zoo reads: save it as .parquet, .csv, .tsv or .jsonl")
    try:
        columns = reader(path)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise UsageError(f"`{path}` cannot be read as {path.suffix}: {error}") from None
    twice = [name for name, times in Counter(columns).items() if times > 1]
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
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            raise ValueError(f"its columns are separated by {name}; save it with commas, or with tabs as .tsv")
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


def _exists(path: Path) -> bool:
    """Whether a file or folder is there; none has a name too long for the disk, or one in a folder closed to us."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_read(root: Mapping, column: KeyPath, table: KeyPath) -> bool:
    """Whether a column is read from a table: groups only in training, a head's only where the table feeds the head."""
    if table[1] != "train":
        return column[0] != "evaluate"
    heads = at(root, (*table[:3], "heads"))
    fed = [head.text for head in heads.items if isinstance(head, Scalar)] if isinstance(heads, Sequence) else None
    return column[0] != "heads" or fed is None or column[1] in fed


def _weight_problems(root: Mapping, folder: Path, started: Iterable[KeyPath]) -> Iterator[Problem]:
    """`weights:` that name a local file or folder which is not there."""
    for part in started:
        path = (*part, "weights")
        weights = at(root, path)
        if not isinstance(weights, Scalar) or is_name(weights.text):
            continue
        file, _, _ = weights.text.partition("#")
        if not _exists(folder / file):
            message = f"`{dotted(path)}`: `{file}`: {NOT_THERE}"
            hint = "or write `pretrained`, `none` for random weights, or hf://owner/name@commit"
            yield weights.problem(path, message, suggestion=nearest(file, ["pretrained", "none"]), hint=hint)


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
