"""Names of classes: from the cells of a table, from the training rows, and in messages."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np

from zoo_core.inputs.cells import shown
from zoo_core.inputs.vector import category

MOST = 10_000
"""Most classes that are learnt from the training rows."""

FEW = 50
"""So many classes are believed of the smallest table; more, only if they are at most half as many as its rows."""


def class_name(cell: Any) -> str:
    """The name of the class that a cell stands for.

    Classes are named by texts: 1 and 1.0 are `1`, because a null turns a column of whole numbers into floats on its way
    through many tools, and truth values are `true` and `false`.

    Raises:
        ValueError: It is neither a text, a number nor a truth value, or it is empty.
    """
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell)).lower()
    if isinstance(cell, Integral):
        return str(int(cell))  # not through a float, which has not all digits of a long one
    if not isinstance(cell, (str, Real, Decimal)):
        raise ValueError(f"{shown(cell)} is no name of a class; expected a text, a number or a truth value")
    name = category(cell)
    if not name:
        raise ValueError(f"{shown(cell)} names no class; the cell of a row without a label is null")
    return name


def class_names(cell: Any) -> list[str]:
    """The names of the classes in a cell that may hold any number of them.

    Raises:
        ValueError: It is no list, or holds something that is no name of a class.
    """
    if not isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        raise ValueError(f"{shown(cell)} is no list; with `multi_label: true` a cell is a list of classes")
    return sorted(set(map(class_name, cell)))


def single_class_name(cell: Any) -> str:
    """The name of the class in a cell that holds exactly one.

    Raises:
        ValueError: It is no name of a class.
    """
    if isinstance(cell, (list, tuple, np.ndarray)):
        raise ValueError(f"{shown(cell)} is a list; write `multi_label: true` where a row may have several classes")
    return class_name(cell)


def code_of(name: str, codes: dict[str, int]) -> int:
    """The number of a class.

    Args:
        name: Its name.
        codes: All classes by name.

    Raises:
        ValueError: There is no such class.
    """
    if name not in codes:
        raise ValueError(f"`{name}` is none of the {len(codes)} classes: {listed(list(codes))}")
    return codes[name]


def count_classes(rows: Iterable[list[str]], named: Sequence[str] | None) -> dict[str, Any]:
    """What a classifier must know of the training rows.

    Args:
        rows: The names of the classes of each row.
        named: The classes, where the spec names them.

    Returns:
        `classes`: those named, or all that occur; sorted as numbers where all of them are whole numbers, else as
        texts. `counts`: how many rows have each. `rows`: how many there are.

    Raises:
        ValueError: A row has a class that is not named, or there are too few or too many to be classes.
    """
    codes = {name: code for code, name in enumerate(named or ())}
    counts: Counter[str] = Counter()
    total = 0
    for row in rows:
        total += 1
        if named is not None:
            for name in row:
                code_of(name, codes)  # here, while it is known which row this is
        counts.update(row)
    if named is None:
        _check_classes(counts, total)
    classes = _in_order(counts) if named is None else list(named)
    return {"classes": classes, "counts": [counts[name] for name in classes], "rows": total}


def listed(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _check_classes(counts: Counter[str], rows: int) -> None:
    if not counts:
        raise ValueError("no training row has a label, so the classes cannot be learnt; name them in `classes`")
    if len(counts) > MOST or (len(counts) > FEW and 2 * len(counts) > rows):
        raise ValueError(
            f"the {rows} training rows have {len(counts)} different labels ({listed(sorted(counts))}), too many to be "
            "classes; predict numbers with `zoo/regressor`, or name the classes in `classes`"
        )


def _in_order(names: Collection[str]) -> list[str]:
    """Sorted as numbers where all are whole numbers, else as texts."""
    if all(re.fullmatch(r"-?[0-9]+", name) for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)
