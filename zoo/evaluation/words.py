"""A sample from the words of a command line."""

import json
from collections.abc import Sequence
from typing import Any

from zoo.component import Modality
from zoo.data.columns import part_columns
from zoo.errors import UsageError, nearest
from zoo.model.model import ZooModel


def sample(model: ZooModel, words: Sequence[str]) -> dict[str, Any]:
    """A sample from words of the form NAME=VALUE.

    A name is an input's, or a column's where an input is made of several. A value is a path or a text where the input
    reads those, else a number, a list in JSON, or the name of a category; nothing is an empty cell.

    Raises:
        UsageError: A word is of another form, or given twice; or there is no such input or column.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"`{word}` is not of the form NAME=VALUE")
        owner, column = _place(model, name)
        cells = found if column is None else found.setdefault(owner, {})
        key = column or owner
        if not isinstance(cells, dict) or key in cells:
            raise UsageError(f"`{name}` is given twice")
        cells[key] = _cell(value, model.inputs[owner].value.modality)
    return found


def _place(model: ZooModel, name: str) -> tuple[str, str | None]:
    """The input that a name means, and its column where it is made of several.

    An input of several columns may be named like one of them, `price: {columns: [price, weight]}`; the column is meant.
    """
    columns = {each: part_columns(section) for each, section in model.spec.inputs.items()}
    owner = next((each for each, own in columns.items() if len(own) > 1 and name in own), None)
    if owner is not None:
        return owner, name
    if name in columns:
        return name, None
    owner = next((each for each, own in columns.items() if name in own), None)
    if owner is None:
        known = [*columns, *(column for own in columns.values() for column in own)]
        guess = nearest(name, known)
        advice = f"did you mean `{guess}`?" if guess else f"there are {', '.join(columns)}"
        raise UsageError(f"there is no input `{name}`; {advice}")
    return owner, None


def _cell(text: str, modality: str) -> Any:
    """A value as a cell would hold it; null where there is none, as in a table."""
    if not text:
        return None
    if modality in (Modality.IMAGE, Modality.TEXT, Modality.AUDIO):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
