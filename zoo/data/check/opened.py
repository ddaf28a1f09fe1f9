"""Opens the tables of a spec for a check, with what each of them lacks."""

from collections.abc import Iterator
from dataclasses import dataclass

from zoo.data.check.finding import Finding, Level
from zoo.data.columns import part_columns, text_columns
from zoo.data.tables import Table, header_of, open_table
from zoo.errors import UsageError, listed, nearest
from zoo.spec.sections import Spec
from zoo.spec.sources import is_local

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


def open_tables(spec: Spec, further: str | None, findings: list[Finding]) -> list[Opened]:
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
            findings.append(Finding(Level.ERROR, "table", path, str(error)))
    return opened


def _named(spec: Spec, further: str | None) -> Iterator[tuple[str, str, list[str]]]:
    every = list(spec.heads)
    training: dict[str, list[str]] = {}  # a table may be named for one head after the other
    for section in spec.data.train:
        training.setdefault(_named_from(spec, section.path), []).extend(
            every if section.heads is None else section.heads
        )
    for path, heads in training.items():
        yield TRAIN, path, list(dict.fromkeys(heads))
    if further is not None:
        yield FURTHER, further, every
        return
    if isinstance(spec.data.validation, str):
        yield VALIDATION, _named_from(spec, spec.data.validation), every
    if spec.data.test is not None:
        yield TEST, _named_from(spec, spec.data.test), every


def _named_from(spec: Spec, name: str) -> str:
    """A table of the spec, named from the working folder."""
    return str(spec.folder / name) if is_local(name) else name


def _opened(spec: Spec, role: str, path: str, heads: list[str], findings: list[Finding]) -> Opened:
    columns = {name: part_columns(spec.inputs[name]) for name in spec.inputs}
    labels = {name: part_columns(spec.heads[name]) for name in heads}
    found = header_of(path, spec.tables)
    wanted = {each: name for name, part in [*columns.items(), *labels.items()] for each in part}
    missing = [each for each in wanted if each not in found]
    for each in missing:
        if role == FURTHER and each in {column for part in labels.values() for column in part}:
            continue  # what is to be predicted has no labels
        guess = nearest(each, found)
        advice = f"did you mean `{guess}`?" if guess else f"its columns: {listed(found)}"
        message = f"it has no column `{each}`, which `{wanted[each]}` reads; {advice}"
        findings.append(Finding(Level.ERROR, "column", path, message, column=each))
    read = [each for each in wanted if each not in missing]
    if not read:
        raise UsageError(f"`{path}` has no column that the spec reads")
    groups = spec.evaluate.groups
    further = [groups] if groups is not None and groups in found and groups not in read else []
    return Opened(
        role,
        open_table(
            path,
            [*read, *further],
            text_columns(spec),
            given=spec.tables,
        ),
        tuple(name for name, part in columns.items() if not set(part) & set(missing)),
        tuple(name for name, part in labels.items() if not set(part) & set(missing)),
        tuple(each for each in found if each not in wanted and each != groups),
    )
