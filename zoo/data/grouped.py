"""Groups that stand on both sides of a split: what is said of new speakers is then measured on known ones."""

from collections.abc import Iterable

from zoo.data.tables import Table


def shared_groups(column: str, training: Iterable[Table], other: Table) -> str:
    """What to say of groups of a table that stand in the training rows too; "" where none do.

    Args:
        column: That of `evaluate.groups`.
        training: The tables to learn from.
        other: A table to choose an epoch by, or to measure on.
    """
    mine = _groups(other, column)
    known = set().union(*(_groups(each, column) for each in training))
    shared = sorted(map(str, mine & known))
    if not shared:
        return ""
    more = ", ..." if len(shared) > 3 else ""
    return (
        f"{len(shared):,} of its {len(mine):,} groups of `{column}` stand in the training rows too "
        f"({', '.join(shared[:3])}{more}): `evaluate.groups` keeps them apart only where zoo makes the split"
    )


def _groups(table: Table, column: str) -> set[object]:
    return {each for each in table.column(column) if each is not None} if column in table.columns else set()
