"""Loaders for a model: to train it, to measure it, to predict with it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import NDArray

from zoo.data.columns import columns_of, part_columns, text_columns
from zoo.data.loader import ROOM, Loader
from zoo.data.rows import Rows, Selection, open_rows, select
from zoo.data.samples import Parts
from zoo.data.tables import Table, open_table
from zoo.errors import UsageError
from zoo.spec.files import header

ONCE = 0
"""Room for prepared samples that are used once."""


def training(model: Parts, rows: Rows) -> tuple[Loader, Loader | None]:
    """Loaders of the rows to learn from, and of those set aside; None where there are none."""
    validation = _loader(model, rows.validation, ROOM) if rows.validation else None
    return _loader(model, rows.training, ROOM), validation


def labelled(model: Parts, data: str | Path | None = None) -> tuple[str, Loader]:
    """A loader of rows to measure a model on, and what to call them: `test`, `validation`, or the table's path.

    Args:
        model: The model.
        data: A table, relative to the working folder, with the labels of at least one head. Unless given, the test
            table of the spec or, without one, its validation rows.

    Raises:
        UsageError: There are none, or the table cannot be read, lacks a column, or has no labelled row.
    """
    split, selections = measured_rows(model, data)
    return split, _loader(model, selections, ONCE)


def measured_rows(model: Parts, data: str | Path | None = None) -> tuple[str, Sequence[Selection]]:
    """The rows that `labelled` loads, and what to call them."""
    spec = model.spec
    if data is not None:
        return str(data), [_measured(model, Path(data))]
    if spec.data.test is not None:
        return "test", [select(spec, spec.folder / spec.data.test)]
    aside = open_rows(spec).validation if spec.data.train else ()
    if not aside:
        raise UsageError("the spec names neither a test table nor validation rows; name a table to measure on")
    return "validation", aside


LEAST = 32
"""Rows of a batch, at least, among which an input is exchanged."""


def mixed(
    model: Parts, selections: Sequence[Selection], most: int | None = None
) -> tuple[Loader, Int[NDArray[np.int64], "rows"]]:
    """A loader of the rows, those of each table in random order, always the same, and where each stands among them all.

    Args:
        model: The model.
        selections: The rows.
        most: Load no more than so many of them.
    """
    random = np.random.default_rng(0)
    orders = [random.permutation(len(each.numbers)) for each in selections]
    starts = np.cumsum([0, *map(len, orders)])
    share = 1.0 if most is None else min(1.0, most / max(1, int(starts[-1])))
    orders = [order[: max(1, int(share * len(order)))] for order in orders]
    shuffled = [replace(each, numbers=each.numbers[order]) for each, order in zip(selections, orders, strict=True)]
    train = model.spec.train
    size = max(LEAST, train.batch_size)
    places = np.concatenate([start + order for start, order in zip(starts[:-1], orders, strict=True)])
    return Loader(model, shuffled, batch_size=size, seed=train.seed, room=ONCE), places


def unlabelled(
    model: Parts, table: Table, absent: Collection[str] = (), rows: Int[NDArray[np.int64], "chosen"] | None = None
) -> Loader:
    """A loader of rows of a table, without labels, to predict them.

    Args:
        model: The model.
        table: As `open_inputs` opens it, or samples in memory.
        absent: Inputs that count as absent from every row.
        rows: Numbers of the rows; all of them unless given.
    """
    chosen = Selection(table, np.arange(len(table)) if rows is None else rows, frozenset())
    return _loader(model, [chosen], ONCE, absent)


def with_inputs(model: Parts, table: Table, absent: Collection[str] = ()) -> Bool[NDArray[np.bool_], "rows"]:
    """True for the rows of a table that have any input which is not absent."""
    spec = model.spec
    columns = columns_of(spec, [name for name in spec.inputs if name not in absent], ())
    filled: NDArray[np.bool_] = np.logical_or.reduce([table.filled(column) for column in columns])
    return filled


def open_inputs(model: Parts, path: Path, absent: Collection[str] = ()) -> Table:
    """A table with the columns of the inputs that are not absent.

    Raises:
        UsageError: It cannot be read, or lacks one of them.
    """
    spec = model.spec
    read = [name for name in spec.inputs if name not in absent]
    return open_table(path, columns_of(spec, read, ()), text_columns(spec))


def _measured(model: Parts, path: Path) -> Selection:
    """The rows of a table that are labelled for any of the heads whose columns it has."""
    spec = model.spec
    found = header(path) or ()
    columns = {name: part_columns(section) for name, section in spec.heads.items()}
    heads = frozenset(name for name, each in columns.items() if set(each) <= set(found))
    if not heads:
        wanted = ", ".join(f"`{column}`" for each in columns.values() for column in each)
        raise UsageError(f"`{path}` has no column with labels; the heads read {wanted}")
    return select(spec, path, heads)


def _loader(model: Parts, selections: Sequence[Selection], room: int, absent: Collection[str] = ()) -> Loader:
    train = model.spec.train
    return Loader(model, selections, batch_size=train.batch_size, seed=train.seed, absent=absent, room=room)
