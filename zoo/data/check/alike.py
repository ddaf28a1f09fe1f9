"""Rows that are the same or nearly so: within a table, on both sides of a split, and with different labels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.check.finding import Finding, Level, at_row
from zoo.data.check.near import BANDS, near_pairs
from zoo.data.check.opened import TRAIN
from zoo.data.check.readers import Readers
from zoo.data.check.scan import Scanned

Where = tuple[int, int]
"""Number of a table and of a row."""


def alike_findings(scans: Sequence[Scanned], readers: Readers) -> Iterator[Finding]:
    """Duplicates of whole rows, leaks between tables, labels that contradict each other, and near duplicates."""
    groups = _groups([each.rows() for each in scans])
    for group in groups:
        yield from _same(scans, group)
        yield from _contradictions(scans, group, readers)
    yield from _by_input(scans, readers)
    for name, chain in readers.chains.items():
        if chain.input.value.modality in BANDS:
            yield from _near(scans, name, chain.input.value.modality)


def _groups(digests: Sequence[NDArray[np.uint64]]) -> list[list[Where]]:
    """Rows that have the same digest, 0 left out; groups of at least two, in the order of their first row."""
    every = np.concatenate([*digests, np.empty(0, np.uint64)])
    tables = np.repeat(np.arange(len(digests)), [len(each) for each in digests])
    rows = np.concatenate([*(np.arange(len(each)) for each in digests), np.empty(0, np.int64)]).astype(np.int64)
    order = np.argsort(every, kind="stable")
    order = order[every[order] > 0]
    found = [group for group in np.split(order, np.flatnonzero(np.diff(every[order])) + 1) if len(group) > 1]
    found.sort(key=lambda group: int(group[0]))
    return [[(int(tables[each]), int(rows[each])) for each in group] for group in found]


def _same(scans: Sequence[Scanned], group: Sequence[Where]) -> Iterator[Finding]:
    """A row that is one before it again; in another table, that is a leak."""
    first = group[0]
    for where in group[1:]:
        table = scans[where[0]].opened.table
        before = _place(scans, first, where)
        if where[0] != first[0] and scans[first[0]].opened.role == TRAIN and scans[where[0]].opened.role != TRAIN:
            yield at_row(Level.WARNING, "leak", table, where[1], f"the same inputs stand in {before}, which is learnt")
        else:
            yield at_row(Level.WARNING, "duplicate", table, where[1], f"the same inputs stand in {before}")


def _place(scans: Sequence[Scanned], where: Where, beside: Where) -> str:
    """Where a row stands, without the table's name beside a row of the same table."""
    table = scans[where[0]].opened.table
    place = table.place(where[1])
    return place.removeprefix(f"`{table.name}`, ") if where[0] == beside[0] else place


def _contradictions(scans: Sequence[Scanned], group: Sequence[Where], readers: Readers) -> Iterator[Finding]:
    for head in readers.heads:
        labels: dict[int, list[Where]] = defaultdict(list)
        for table, row in group:
            label = scans[table].labels[head][row] if head in scans[table].labels else None
            if label is not None:
                labels[label].append((table, row))
        if len(labels) > 1:
            column = ", ".join(readers.labels[head])
            told = " and ".join(_told(scans, head, label, rows, readers) for label, rows in labels.items())
            for table, row in (each for rows in labels.values() for each in rows):
                message = f"the same inputs have different labels: {told}"
                yield at_row(Level.WARNING, "conflict", scans[table].opened.table, row, message, column)


def _told(scans: Sequence[Scanned], head: str, label: int, rows: Sequence[Where], readers: Readers) -> str:
    classes = readers.classes.get(head, ())
    places = ", ".join(scans[table].opened.table.place(row) for table, row in rows[:3])
    return f"`{classes[label]}` in {places}" if label < len(classes) else places


def _by_input(scans: Sequence[Scanned], readers: Readers) -> Iterator[Finding]:
    """Of several inputs, how often a value alone occurs again: within a table, and in one that is learnt."""
    training = [each for each in scans if each.opened.role == TRAIN]
    for name in readers.chains if len(readers.chains) > 1 else ():
        known = np.concatenate([np.frombuffer(each.columns[name].digests, np.uint64) for each in training])
        for each in scans:
            if name not in each.columns:
                continue
            digests = np.frombuffer(each.columns[name].digests, np.uint64)
            there = digests[digests > 0]
            column, table = ", ".join(readers.chains[name].columns), each.opened.table.name
            again = len(there) - len(np.unique(there))
            if again:
                told = f"{again:,} of {len(there):,} values of `{name}` stand in a row before"
                yield Finding(Level.SUSPECT, "repeated values", table, told, column=column)
            leaked = int(np.isin(there, known).sum()) if each.opened.role != TRAIN else 0
            if leaked:
                told = f"{leaked:,} of {len(there):,} values of `{name}` stand in the training rows too"
                yield Finding(Level.SUSPECT, "shared values", table, told, column=column)


def _near(scans: Sequence[Scanned], name: str, modality: str) -> Iterator[Finding]:
    sketches, places, digests = [], [], []
    for number, each in enumerate(scans):
        column = each.columns.get(name)
        if column is not None and column.sketches:
            sketches.append(np.stack(column.sketches))
            places += [(number, row) for row in column.sketched]
            digests.append(np.frombuffer(column.digests, np.uint64)[np.frombuffer(column.sketched, np.int64)])
    if not sketches:
        return
    _, first = np.unique(np.concatenate(digests), return_index=True)  # those that are the same are told already
    first = np.sort(first)
    for one, other in near_pairs(np.concatenate(sketches)[first], modality):
        (early, before), (late, row) = places[first[one]], places[first[other]]
        across = scans[early].opened.role == TRAIN and scans[late].opened.role != TRAIN
        kind, learnt = ("near leak", ", which is learnt") if across else ("near duplicate", "")
        place = _place(scans, (early, before), (late, row))
        message = f"nearly the same `{name}` stands in {place}{learnt}"
        yield at_row(Level.SUSPECT, kind, scans[late].opened.table, row, message, name)
