"""Goes through a table once: each cell is decoded and looked at, and what is kept of a row is small."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.contract import InputType
from zoo.data.check.finding import Finding, Level, at_row
from zoo.data.check.looks import looker
from zoo.data.check.looks.look import Look, digest_of
from zoo.data.check.opened import Opened
from zoo.data.check.readers import Readers, label_of
from zoo.data.columns import cell_of
from zoo.data.inputs import Chain
from zoo.data.usable import file_named
from zoo.errors import UsageError

AT_ONCE = 64
"""Rows whose cells are in memory at the same time."""


@dataclass
class Column:
    """What was seen of one input in all rows.

    Args:
        digests: Of each row's value; 0 where there is none.
        sketches: Of each row that has one, with `sketched`, the rows' numbers.
        measures: Lengths and sizes of those that are there.
        beyond: How many are longer than the input takes.
        missing: How many rows have no value.
        traits: How many values have each, and the first row that has.
        features: Of the rows that a quick model reads.
    """

    digests: "array[int]" = field(default_factory=lambda: array("Q"))
    sketches: list[NDArray[np.uint8]] = field(default_factory=list)
    sketched: "array[int]" = field(default_factory=lambda: array("q"))
    measures: dict[str, "array[float]"] = field(default_factory=dict)
    beyond: int = 0
    missing: int = 0
    traits: Counter[str] = field(default_factory=Counter)
    features: dict[int, Any] = field(default_factory=dict)

    def note(self, look: Look, number: int, chosen: bool) -> None:
        """Keeps what was seen of a row's value; what a quick model reads, of chosen rows alone."""
        self.digests.append(look.digest)
        self.beyond += look.beyond
        self.traits.update(look.traits)
        for measure, value in look.measures.items():
            self.measures.setdefault(measure, array("d")).append(value)
        if look.sketch is not None:
            self.sketches.append(look.sketch)
            self.sketched.append(number)
        if chosen and look.features is not None:
            self.features[number] = look.features

    def note_nothing(self) -> None:
        """Keeps that a row has no value, or none that can be used."""
        self.digests.append(0)


@dataclass
class Scanned:
    """What was seen of a table.

    Args:
        opened: The table.
        columns: By input.
        labels: By head, a label for each row: a class's number, or a digest of what it is; None where there is none.
        sets: By head, how often each class occurs, where a row may have several.
        empty: How many rows have no input at all.
        bad: Numbers of the rows that cannot be used.
    """

    opened: Opened
    columns: dict[str, Column]
    labels: dict[str, list[int | None]]
    sets: dict[str, Counter[int]]
    empty: int = 0
    bad: set[int] = field(default_factory=set)

    def rows(self) -> NDArray[np.uint64]:
        """`(rows,)`: a digest of each row's inputs together; 0 where there is none."""
        each = [np.frombuffer(column.digests, np.uint64) for column in self.columns.values()]
        if len(each) == 1:
            return each[0]
        mixed = np.zeros(len(self.opened.table), np.uint64)
        for number, digests in enumerate(each, 1):
            mixed = (mixed ^ (digests * np.uint64(2 * number + 1))) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        return np.where(np.logical_or.reduce([digests > 0 for digests in each]), mixed, np.uint64(0))


def scan(opened: Opened, readers: Readers, chosen: NDArray[np.bool_], findings: list[Finding]) -> Scanned:
    """Looks at every row of a table.

    Args:
        opened: The table.
        readers: What reads its cells.
        chosen: `(rows,)` the rows whose features a quick model will read.
        findings: Takes the rows that cannot be used.
    """
    return _Scan(opened, readers, chosen, findings).run()


class _Scan:
    """One pass through a table."""

    def __init__(self, opened: Opened, readers: Readers, chosen: NDArray[np.bool_], findings: list[Finding]) -> None:
        self.table, self.readers, self.chosen, self.findings = opened.table, readers, chosen, findings
        self.chains = {name: readers.chains[name] for name in opened.inputs if name in readers.chains}
        self.heads = [name for name in opened.heads if name in readers.heads]
        columns: dict[str, Column] = {name: Column() for name in self.chains}
        self.seen = Scanned(opened, columns, {name: [] for name in self.heads}, defaultdict(Counter))

    def run(self) -> Scanned:
        for number, row in self._rows():
            there = [self._cell(name, chain, number, row) for name, chain in self.chains.items()]
            if there and not any(there):
                self.seen.empty += 1
                self._bad("empty row", number, "it has no input at all; fill one in or remove the row")
            for name in self.heads:
                self.seen.labels[name].append(self._label(name, number, row))
        return self.seen

    def _rows(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        read = [column for chain in self.chains.values() for column in chain.columns]
        read += [column for name in self.heads for column in self.readers.labels[name]]
        columns = list(dict.fromkeys(read))
        for start in range(0, len(self.table) if columns else 0, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, len(self.table)))
            yield from zip(numbers, self.table.rows(numbers, columns), strict=True)

    def _cell(self, name: str, chain: Chain, number: int, row: Mapping[str, Any]) -> bool:
        """Looks at a cell, and tells whether there is anything in it."""
        column, cell = self.seen.columns[name], cell_of(row, chain.columns)
        if chain.input.is_missing(cell):
            column.note_nothing()
            column.missing += 1
            return False
        where = ", ".join(chain.columns)
        file = file_named(cell, is_path=type(chain.input).check is not InputType.check)
        try:
            self._refuse_unlearnable(chain.columns, number)
            value = chain.input.decode(cell, self.table.folder)
            look = looker(chain.input.value)(value, cell, self.table.folder, chain.input.value)
        except (ValueError, UsageError) as error:
            column.note_nothing()
            self._bad("cell", number, str(error), where, file)
        else:
            column.note(look, number, bool(self.chosen[number]))
            for trait in look.traits:
                if trait[0].islower():
                    self.findings.append(at_row(Level.SUSPECT, "content", self.table, number, trait, where, file))
        return True

    def _label(self, name: str, number: int, row: Mapping[str, Any]) -> int | None:
        columns = self.readers.labels[name]
        try:
            self._refuse_unlearnable(columns, number)
            label = label_of(self.readers.heads[name], cell_of(row, columns))
        except (ValueError, UsageError) as error:
            self._bad("label", number, str(error), ", ".join(columns))
            return None
        if label is None or isinstance(label, int):
            return label
        if isinstance(label, list) and name in self.readers.classes:
            self.seen.sets[name].update(label)
        return digest_of(repr(label).encode())

    def _refuse_unlearnable(self, columns: tuple[str, ...], number: int) -> None:
        wrong = self.readers.wrong.get((self.table.name, number))
        if wrong is not None and wrong.column == ", ".join(columns):
            raise ValueError(wrong.message)

    def _bad(self, kind: str, number: int, message: str, column: str = "", file: str = "") -> None:
        self.seen.bad.add(number)
        self.findings.append(at_row(Level.ERROR, kind, self.table, number, message, column, file))
