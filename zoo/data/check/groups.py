"""Groups that stand on both sides of a split."""

from collections.abc import Iterator, Sequence

from zoo.data.check.finding import Finding, Level
from zoo.data.check.opened import FURTHER, TRAIN, Opened
from zoo.data.grouped import shared_groups


def group_findings(column: str | None, opened: Sequence[Opened]) -> Iterator[Finding]:
    """What the column of `evaluate.groups` tells of the tables; nothing where the spec names none.

    Args:
        column: The column.
        opened: The tables.
    """
    if column is None:
        return
    training = [each.table for each in opened if each.role == TRAIN]
    for each in opened:
        told = "" if each.role in (TRAIN, FURTHER) else shared_groups(column, training, each.table)
        if told:
            yield Finding(Level.WARNING, "leak", each.table.name, told, column=column)
