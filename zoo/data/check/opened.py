"""Opens the tables of a spec for a check, with what each of them lacks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.data.check.finding import Finding, Level
from zoo.data.columns import part_columns, text_columns
from zoo.data.tables import Table, open_table
from zoo.errors import UsageError, listed, nearest
from zoo.spec.files import header
from zoo.spec.sections import Spec

TRAIN, VALIDATION, TEST, FURTHER = "train", "validation", "test", "table"
"""What a table is for: those that the spec names, and one that is checked beside them."""


@dataclass(frozen=True)
class Opened:
    """A table that is checked.

    Args:
        role: What it is for.
        table: The table.
        inputs: Inputs whose columns it has.
        heads: Heads whose columns it has, and that learn from it.
        unused: Columns that the spec does not read.
    """

    role: str
    table: Table
    inputs: tuple[str, ...]
    heads: tuple[str, ...]
    unused: tuple[str, ...]


def open_tables(spec: Spec, further: Path | None, findings: list[Finding]) -> list[Opened]:
    """Opens the tables that the spec names, or its training tables and a further one.

    Args:
        spec: The spec.
        further: A table to check in place of those for validation and test, relative to the working folder.
        findings: Takes what is wrong with them: tables that cannot be read, and columns that are not there.
    """
    opened = []
    for role, path, heads in _named(spec, further):
        try:
            opened.append(_opened(spec, role, path, heads, findings))
        except (UsageError, OSError) as error:
            findings.append(Finding(Level.ERROR, "table", str(path), str(error)))
    return opened


def _named(spec: Spec, further: Path | None) -> Iterator[tuple[str, Path, list[str]]]:
    every = list(spec.heads)
    training: dict[Path, list[str]] = {}  # a table may be named for one head after the other
    for section in spec.data.train:
        training.setdefault(spec.folder / section.path, []).extend(every if section.heads is None else section.heads)
    for path, heads in training.items():
        yield TRAIN, path, list(dict.fromkeys(heads))
    if further is not None:
        yield FURTHER, further, every
        return
    if isinstance(spec.data.validation, str):
        yield VALIDATION, spec.folder / spec.data.validation, every
    if spec.data.test is not None:
        yield TEST, spec.folder / spec.data.test, every


def _opened(spec: Spec, role: str, path: Path, heads: list[str], findings: list[Finding]) -> Opened:
    columns = {name: part_columns(spec.inputs[name]) for name in spec.inputs}
    labels = {name: part_columns(spec.heads[name]) for name in heads}
    found = header(path)
    wanted = {each: name for name, part in [*columns.items(), *labels.items()] for each in part}
    missing = [each for each in wanted if found is not None and each not in found]
    for each in missing:
        if role == FURTHER and each in {column for part in labels.values() for column in part}:
            continue  # what is to be predicted has no labels
        guess = nearest(each, found or ())
        advice = f"did you mean `{guess}`?" if guess else f"its columns: {listed(found or ())}"
        message = f"it has no column `{each}`, which `{wanted[each]}` reads; {advice}"
        findings.append(Finding(Level.ERROR, "column", str(path), message, column=each))
    read = [each for each in wanted if each not in missing]
    if not read:
        raise UsageError(f"`{path}` has no column that the spec reads")
    groups = spec.evaluate.groups
    return Opened(
        role,
        open_table(path, read, text_columns(spec)),
        tuple(name for name, part in columns.items() if not set(part) & set(missing)),
        tuple(name for name, part in labels.items() if not set(part) & set(missing)),
        tuple(each for each in found or () if each not in wanted and each != groups),
    )
