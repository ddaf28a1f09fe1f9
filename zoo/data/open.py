"""Loaders for a model: to train it, to measure it, to predict with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from zoo.data.augment import NONE, Augmentation
from zoo.data.columns import columns_of, part_columns, text_columns
from zoo.data.feature_store import StoredRows
from zoo.data.loader import ROOM, Loader
from zoo.data.rows import Rows, Selection, open_rows, select
from zoo.data.samples import Parts
from zoo.data.step import Share
from zoo.data.tables import Table, header_of, open_table
from zoo.data.usable import Unusable, check_share, find_unusable, without
from zoo.errors import UsageError
from zoo.spec.sections import Spec

ONCE = 0
"""Room for prepared samples that are used once."""


def loader(
    model: Parts,
    selections: Sequence[Selection],
    share: Share | None = None,
    stored: Mapping[str, Sequence[StoredRows]] | None = None,
    augmentation: Augmentation = NONE,
) -> Loader:
    """A loader of labelled rows that are used several times.

    Args:
        model: The model.
        selections: The rows.
        share: Which part of them is this process's own, where several train together.
        stored: Inputs whose features are known already.
        augmentation: What is changed at random, in rows to learn from alone.
    """
    bucket = model.spec.train.bucket
    return _loader(model, selections, ROOM, share=share, stored=stored, augmentation=augmentation, bucket=bucket)


def training(model: Parts, rows: Rows, augmentation: Augmentation = NONE) -> tuple[Loader, Loader | None]:
    """Loaders of the rows to learn from, and of those set aside; None where there are none.

    Args:
        model: The model.
        rows: Both.
        augmentation: What is changed at random in the rows to learn from, and in no others.
    """
    validation = loader(model, rows.validation) if rows.validation else None
    return loader(model, rows.training, augmentation=augmentation), validation


class Labelled(NamedTuple):
    """Rows to measure a model on.

    Args:
        split: What to call them: `test`, `validation`, or the table's path.
        batches: Those that can be used.
        unusable: How many cannot, and were left out.
    """

    split: str
    batches: Loader
    unusable: int


def labelled(model: Parts, data: str | Path | None = None, spec: Spec | None = None) -> Labelled:
    """Rows to measure a model on; with `data.on_error: skip`, without those that cannot be used.

    Args:
        model: The model.
        data: A table, relative to the working folder, with the labels of at least one head. Unless given, the test
            table of the spec or, without one, its validation rows.
        spec: The model's spec, perhaps with tables in memory; as the model has it unless given.

    Raises:
        UsageError: There are none, or the table cannot be read, lacks a column, or has no labelled row; or more than
            half of its rows cannot be used.
    """
    split, selections, unusable = measured_rows(model, data, spec)
    return Labelled(split, _loader(model, selections, ONCE), unusable)


class MeasuredRows(NamedTuple):
    """Rows to measure a model on, not yet loaded; as in `Labelled`."""

    split: str
    selections: Sequence[Selection]
    unusable: int


def measured_rows(model: Parts, data: str | Path | None = None, spec: Spec | None = None) -> MeasuredRows:
    """The rows that `labelled` loads."""
    spec = spec or model.spec
    if data is not None:
        return _usable(model, str(data), [_measured(spec, str(data))])
    if spec.data.test is not None:
        return _usable(model, "test", [select(spec, spec.data.test)])
    aside = open_rows(spec).validation if spec.data.train else ()
    if not aside:
        raise UsageError("the spec names neither a test table nor validation rows; name a table to measure on")
    found = _unusable(model, aside)
    kept = without(aside, found)  # the share of bad rows is that of the whole table, and training looked at it
    if not kept:
        raise UsageError("no validation row can be used; `zoo data check` tells what is wrong with each")
    return MeasuredRows("validation", kept, len(found))


LEAST = 32
"""Rows of a batch, at least, among which an input is exchanged."""


def mixed(
    model: Parts, selections: Sequence[Selection], most: int | None = None
) -> tuple[Loader, Int[np.ndarray, "rows"]]:
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
    size = max(LEAST, train.rows)
    places = np.concatenate([start + order for start, order in zip(starts[:-1], orders, strict=True)])
    return Loader(model, shuffled, batch_size=size, seed=train.seed, room=ONCE), places


def unlabelled(
    model: Parts, table: Table, absent: Collection[str] = (), rows: Int[np.ndarray, "chosen"] | None = None
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


def open_inputs(
    model: Parts, name: str | Path, absent: Collection[str] = (), given: Mapping[str, Table] | None = None
) -> Table:
    """A table with the columns of the inputs that are not absent.

    Args:
        model: The model.
        name: The table; a relative path starts at the working folder.
        absent: Inputs that count as absent from every row.
        given: Tables in memory.

    Raises:
        UsageError: It cannot be read, or lacks one of them.
    """
    spec = model.spec
    read = [name for name in spec.inputs if name not in absent]
    return open_table(name, columns_of(spec, read, ()), text_columns(spec), given=given)


def _measured(spec: Spec, name: str) -> Selection:
    """The rows of a table that are labelled for any of the heads whose columns it has."""
    found = header_of(name, spec.tables)
    columns = {name: part_columns(section) for name, section in spec.heads.items()}
    heads = frozenset(name for name, each in columns.items() if set(each) <= set(found))
    if not heads:
        wanted = ", ".join(f"`{column}`" for each in columns.values() for column in each)
        raise UsageError(f"`{name}` has no column with labels; the heads read {wanted}")
    return select(spec, name, heads, folder=Path())


def _usable(model: Parts, split: str, selections: Sequence[Selection]) -> MeasuredRows:
    found = _unusable(model, selections)
    check_share(selections, found)
    return MeasuredRows(split, without(selections, found), len(found))


def _unusable(model: Parts, selections: Sequence[Selection]) -> list[Unusable]:
    return find_unusable(model, selections) if model.spec.data.on_error == "skip" else []


def _loader(
    model: Parts, selections: Sequence[Selection], room: int, absent: Collection[str] = (), **further: Any
) -> Loader:
    train = model.spec.train
    size, seed = train.rows, train.seed
    return Loader(model, selections, batch_size=size, seed=seed, absent=absent, room=room, **further)
