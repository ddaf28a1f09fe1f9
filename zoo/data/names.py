"""Names of columns: whether a table has those that are wanted."""

from collections.abc import Collection

from zoo.errors import UsageError, listed, nearest


def check_columns(table: str, wanted: Collection[str], found: Collection[str]) -> None:
    """Refuses a table that lacks a column.

    Raises:
        UsageError: It does; the message tells the nearest that it has.
    """
    for name in wanted:
        if name not in found:
            guess = nearest(name, found)
            advice = f"did you mean `{guess}`?" if guess else f"its columns: {listed(found)}"
            raise UsageError(f"`{table}` has no column `{name}`; {advice}")
