"""Which rows of which tables a spec learns from, and which it sets aside."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from zoo.data.columns import columns_of, part_columns, text_columns
from zoo.data.split import group_numbers, split
from zoo.data.tables import Table, header_of, open_table
from zoo.errors import UsageError
from zoo.spec.sections import Spec

AT_ONCE, HEAVY_AT_ONCE = 1024, 8
"""Rows whose cells are Python objects at the same time; those that hold pictures or sounds."""


@dataclass(frozen=True)
class Selection:
    """Some rows of a table.

    Args:
        table: The table.
        numbers: `(chosen,)` numbers of the rows, counted from 0.
        heads: Heads that learn from them, or are measured on them.
        weight: How often each row is drawn in an epoch of training.
    """

    table: Table
    numbers: Int[np.ndarray, "chosen"]
    heads: frozenset[str]
    weight: float = 1.0

    def cells(self, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Each row's number, and its cells of some columns."""
        start, size = 0, 1  # the first row tells how heavy they are
        while start < len(self.numbers):
            numbers = self.numbers[start : start + size].tolist()
            rows = self.table.rows(numbers, columns)
            yield from zip(numbers, rows, strict=True)
            if start == 0:
                size = HEAVY_AT_ONCE if any(map(_is_heavy, rows[0].values())) else AT_ONCE
            start += len(numbers)


@dataclass(frozen=True)
class Rows:
    """The rows of a spec.

    Args:
        training: Those to learn from.
        validation: Those set aside to choose the best epoch; none where the spec wants none.
        remarks: What the user should know: rows that are left out, and why.
    """

    training: tuple[Selection, ...]
    validation: tuple[Selection, ...]
    remarks: tuple[str, ...] = ()


def open_rows(spec: Spec) -> Rows:
    """Opens the tables of `data.train` and `data.validation`.

    Rows without a label of any head are left out, unless a head learns without labels. A share for validation is drawn
    from all tables together, seeded by `train.seed`: in whole groups where `evaluate.groups` names a column, else with
    equal shares of the classes of the first head.

    Raises:
        UsageError: No table is named, or one cannot be read, lacks a column, has no labelled row, or cannot be split.
    """
    if not spec.data.train:
        raise UsageError("`data.train` names no table to learn from; write `data: {train: TABLE}`")
    selections = []
    for section in spec.data.train:
        heads = frozenset(spec.heads if section.heads is None else section.heads)
        further = [spec.evaluate.groups] if spec.evaluate.groups else []
        table = open_columns(spec, section.path, heads, further)
        selections.append(Selection(table, labelled_rows(spec, table, heads), heads, section.weight))
    remarks = list(map(_left_out, selections))
    validation = spec.data.validation
    if isinstance(validation, float):
        training, aside = set_aside(spec, selections, validation)
    else:
        training, aside = selections, [] if validation is None else [select(spec, validation)]
        remarks += map(_left_out, aside)
    return Rows(tuple(training), tuple(aside), tuple(filter(None, remarks)))


def select(spec: Spec, name: str, heads: frozenset[str] | None = None, folder: Path | None = None) -> Selection:
    """All rows of a table that have a label of any of the heads, which are all heads unless said.

    The column of `evaluate.groups` is there to be read if the table has it.

    Args:
        spec: The spec.
        name: What it calls the table.
        heads: The heads.
        folder: Where a relative path starts; the spec's folder unless given.

    Raises:
        UsageError: The table cannot be read, lacks a column, or has no labelled row.
    """
    heads = frozenset(spec.heads) if heads is None else heads
    groups = spec.evaluate.groups
    start = spec.folder if folder is None else folder
    further = [groups] if groups and groups in header_of(name, spec.tables, start) else []
    table = open_columns(spec, name, heads, further, start)
    return Selection(table, labelled_rows(spec, table, heads), heads)


def groups_of(spec: Spec, selections: Sequence[Selection]) -> Int[np.ndarray, "rows"] | None:
    """The number of the group of each of the selected rows; None where the spec, or a table, has no groups."""
    column = spec.evaluate.groups
    if column is None or any(column not in each.table.columns for each in selections):
        return None
    return group_numbers(column_cells(selections, column), sum(len(each.numbers) for each in selections))


def open_columns(
    spec: Spec, name: str, heads: Collection[str], further: Sequence[str] = (), folder: Path | None = None
) -> Table:
    """A table with the columns of all inputs and of some heads.

    Args:
        spec: The spec.
        name: What it calls the table.
        heads: The heads.
        further: More columns.
        folder: Where a relative path starts; the spec's folder unless given.

    Raises:
        UsageError: It cannot be read, or lacks one of them.
    """
    columns = dict.fromkeys([*columns_of(spec, spec.inputs, heads), *further])
    start = spec.folder if folder is None else folder
    return open_table(name, list(columns), text_columns(spec), folder=start, given=spec.tables)


def labelled_rows(spec: Spec, table: Table, heads: Collection[str]) -> Int[np.ndarray, "labelled"]:
    """Numbers of the rows that have a label of any of the heads; of all rows where a head needs no labels.

    Raises:
        UsageError: There are none.
    """
    columns = {name: part_columns(spec.heads[name]) for name in heads}
    if not all(columns.values()):
        return np.arange(len(table))
    filled = [table.filled(column) for each in columns.values() for column in each]
    numbers: NDArray[np.int64] = np.logical_or.reduce(filled).nonzero()[0]
    if not len(numbers):
        told = ", ".join(f"{name} (column `{'`, `'.join(columns[name])}`)" for name in sorted(columns))
        raise UsageError(f"`{table.name}`: no row has a label of {told}")
    return numbers


def set_aside(spec: Spec, selections: Sequence[Selection], share: float) -> tuple[list[Selection], list[Selection]]:
    """The selections without the rows set aside, and with them alone."""
    lengths = [len(each.numbers) for each in selections]
    groups = column_cells(selections, spec.evaluate.groups) if spec.evaluate.groups else None
    try:
        aside = split(sum(lengths), share, spec.train.seed, first_labels(spec, selections), groups)
    except UsageError as error:
        hint = "write `validation: null` to set none aside, or name a table of its own"
        raise UsageError(f"`data.validation`: {error}; {hint}") from None
    parts = np.split(aside, np.cumsum(lengths)[:-1])
    once = [replace(each, weight=1.0) for each in selections]
    return _chosen(selections, [~part for part in parts]), _chosen(once, parts)


def _chosen(selections: Sequence[Selection], parts: Sequence[Bool[np.ndarray, "_"]]) -> list[Selection]:
    pairs = zip(selections, parts, strict=True)
    kept = [replace(each, numbers=each.numbers[part]) for each, part in pairs]
    return [each for each in kept if len(each.numbers)]


def first_labels(spec: Spec, selections: Sequence[Selection]) -> Iterator[Any] | None:
    """A label of each row, of the first head that reads one column."""
    columns = [part_columns(head) for head in spec.heads.values()]
    single = [each[0] for each in columns if len(each) == 1]
    return column_cells(selections, single[0]) if single else None


def column_cells(selections: Sequence[Selection], column: str) -> Iterator[Any]:
    """A column's cells of all rows, one after another; None where a table lacks the column."""
    for each in selections:
        if column in each.table.columns:
            yield from (row[column] for _, row in each.cells([column]))
        else:
            yield from repeat(None, len(each.numbers))


def _is_heavy(cell: Any) -> bool:
    """Whether a cell holds a whole file."""
    return isinstance(cell, bytes) or (isinstance(cell, Mapping) and any(map(_is_heavy, cell.values())))


def _left_out(selection: Selection) -> str:
    """What there is to say of the rows of a table that are not used; "" if all are."""
    missing = len(selection.table) - len(selection.numbers)
    return f"`{selection.table.name}`: {missing} of {len(selection.table)} rows have no label" if missing else ""
