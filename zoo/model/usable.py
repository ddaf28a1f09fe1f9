"""The rows that a model learns from and is chosen by, without those that cannot be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from zoo.data.fit import fit_rows
from zoo.data.grouped import shared_groups
from zoo.data.learnable import find_unlearnable
from zoo.data.rows import Rows, Selection, open_rows, select
from zoo.data.usable import Unusable, check_share, find_unusable, find_wrong_labels, remarks, without
from zoo.errors import UsageError
from zoo.model.model import ZooModel
from zoo.model.unloaded import unloaded
from zoo.spec.sections import Spec


@dataclass(frozen=True)
class UsableRows(Rows):
    """The rows of a spec, and those of its test table.

    Args:
        test: Rows to measure on in the end; none where the spec names no test table.
        unusable: Rows that were left out of all of them.
        unusable_aside: How many of these were set aside to choose the best epoch.
    """

    test: tuple[Selection, ...] = ()
    unusable: tuple[Unusable, ...] = field(default=(), repr=False)
    unusable_aside: int = 0


def usable_rows(spec: Spec) -> UsableRows:
    """Opens the tables of a spec; with `data.on_error: skip`, leaves out the rows that cannot be used.

    The share for validation is drawn first, and rows are left out after that: so it is the same share whether they are
    mended later or not, and is drawn again for `zoo eval` without looking at a training row. What is left out depends
    on data and spec alone.

    Raises:
        UsageError: A table cannot be read, as `open_rows` says; or more than half of its rows cannot be used, or no
            row to learn from or to choose the epoch by is left.
    """
    opened = open_rows(spec)
    test = () if spec.data.test is None else (select(spec, spec.data.test),)
    rows = UsableRows(opened.training, opened.validation, (*opened.remarks, *_leaks(spec, opened, test)), test)
    return rows if spec.data.on_error == "fail" else _without_unusable(spec, rows)


def _leaks(spec: Spec, opened: Rows, test: Sequence[Selection]) -> Iterator[str]:
    """Groups that tables of their own share with the training rows."""
    column = spec.evaluate.groups
    if column is None:
        return
    own = [*(opened.validation if isinstance(spec.data.validation, str) else ()), *test]
    for each in own:
        told = shared_groups(column, [one.table for one in opened.training], each.table)
        if told:
            yield f"`{each.table.name}`: {told}"


def _without_unusable(spec: Spec, rows: UsableRows) -> UsableRows:
    tables = (*rows.training, *rows.validation, *rows.test)
    found = find_unlearnable(spec, rows.training)
    check_share(tables, found)
    found += find_unusable(_unloaded(spec, rows.training, found), without(tables, found))
    check_share(tables, found)
    if found:  # a class that only rows had which are left out is none any more
        found += find_wrong_labels(_unloaded(spec, rows.training, found), without(tables, found))
        check_share(tables, found)
    training, validation = without(rows.training, found), without(rows.validation, found)
    for name, before, after in (("train", rows.training, training), ("validation", rows.validation, validation)):
        if before and not after:
            raise UsageError(f"`data.{name}`: no row can be used; `zoo data check` tells what is wrong with each")
    return replace(
        rows,
        training=tuple(training),
        validation=tuple(validation),
        test=tuple(without(rows.test, found)),
        remarks=(*rows.remarks, *remarks(tables, found)),
        unusable=tuple(_in_order(tables, found)),
        unusable_aside=_rows(rows.validation) - _rows(validation),
    )


def _unloaded(spec: Spec, training: Sequence[Selection], found: Sequence[Unusable]) -> ZooModel:
    kept = without(training, found)
    if not kept:
        raise UsageError("`data.train`: no row can be used; `zoo data check` tells what is wrong with each")
    return unloaded(spec, fit_rows(spec, kept))


def _rows(selections: Sequence[Selection]) -> int:
    return sum(len(each.numbers) for each in selections)


def _in_order(tables: Sequence[Selection], found: Sequence[Unusable]) -> list[Unusable]:
    """By table, in the order of the spec, and row."""
    order = {name: number for number, name in enumerate(dict.fromkeys(each.table.name for each in tables))}
    return sorted(found, key=lambda each: (order[each.table], each.row))
