"""Groups that stand on both sides of a split: what is said of new speakers is then measured on known ones."""

from collections.abc import Iterator, Sequence

from zoo.data.check.finding import Finding, Level
from zoo.data.check.opened import FURTHER, TRAIN, Opened


def group_findings(column: str | None, opened: Sequence[Opened]) -> Iterator[Finding]:
    """What the column of `evaluate.groups` tells of the tables; nothing where the spec names none.

    Args:
        column: The column.
        opened: The tables.
    """
    if column is None:
        return
    known = set().union(*(_groups(each, column) for each in opened if each.role == TRAIN))
    for each in opened:
        if each.role in (TRAIN, FURTHER):
            continue
        mine = _groups(each, column)
        shared = sorted(map(str, mine & known))
        if shared:
            more = ", ..." if len(shared) > 3 else ""
            told = (
                f"{len(shared):,} of its {len(mine):,} groups of `{column}` stand in the training rows too "
                f"({', '.join(shared[:3])}{more}): `evaluate.groups` keeps them apart only where zoo makes the split"
            )
            yield Finding(Level.WARNING, "leak", each.table.name, told, column=column)


def _groups(opened: Opened, column: str) -> set[object]:
    if column not in opened.table.columns:
        return set()
    return {each for each in opened.table.column(column) if each is not None}
