"""The local files that a spec names, as far as `zoo check` looks at them: that they are there, and a table's header."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo.document.nodes import Mapping, Node, Scalar, Sequence, at, dotted
from zoo.document.nodes import Path as KeyPath
from zoo.errors import Problem, UsageError, nearest
from zoo.spec.paths import is_name
from zoo.spec.sections import Spec
from zoo.spec.sources import MEMORY, NOT_THERE, exists, is_local, locate


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
            found = locate(name, folder).header()
        except UsageError as error:
            hint = _where_to_look(folder) if NOT_THERE in str(error) else ""
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


def unseen(spec: Spec) -> Iterator[str]:
    """What is to be told of the tables of a checked spec whose columns `zoo check` cannot know."""
    paths = [table.path for table in spec.data.train]
    paths += [path for path in (spec.data.validation, spec.data.test) if isinstance(path, str)]
    for path in paths:
        if path.startswith(MEMORY):
            yield f"{path} is a table in memory, which only Python has: its columns were not looked for"
        elif not is_local(path):
            yield f"{path} is on the Hub: its columns were not looked for"


def _where_to_look(folder: Path) -> str:
    """What to do about a table that is not there: of a run that was measured, its lock tells it by its digest."""
    if all((folder / each).is_file() for each in ("zoo.lock", "metrics.json")):
        return f"`zoo reproduce {folder} --data FOLDER` finds the run's tables there, whatever they are called"
    return f"paths start at the spec's folder, {folder.resolve()}"


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
        if not exists(folder / file):
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
