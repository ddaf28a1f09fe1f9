"""`zoo.predict`: what a model makes of samples, and of the rows of a table."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from zoo.component import Component, Modality
from zoo.data.columns import part_columns
from zoo.data.given import with_tables
from zoo.data.memory import samples_of
from zoo.data.open import open_inputs, unlabelled, with_inputs
from zoo.data.tables import Table
from zoo.errors import UsageError, nearest
from zoo.evaluation.written import Written, check_output, write_table
from zoo.model.model import ZooModel
from zoo.model.run import Trained, model_of

Prediction = dict[str, Any]
"""What each head says of a sample, by its name."""


def predict(
    run: ZooModel | Trained | str | Path,
    samples: Sequence[Mapping[str, Any]],
    absent: Collection[str] = (),
    *,
    components: Iterable[Component] = (),
) -> list[Prediction]:
    """Predicts samples.

    Args:
        run: A run folder, what `zoo.train` gave, or a model.
        samples: For each, what a table's cell would hold, by input; of an input with several columns a mapping of them.
            An input left out, or None, is absent. Relative paths start at the working folder.
        absent: Inputs that count as absent from every sample.
        components: Components that the run was made with and that no installed plugin has, as for `zoo.train`.

    Raises:
        UsageError: There is no such run or input, a value cannot be read, or a sample has no input at all.
    """
    model = model_of(run, components)
    return list(_predicted(model, samples_of(model.spec, samples), absent))


def predict_table(
    run: ZooModel | Trained | str | Path,
    table: str | Path,
    output: str | Path,
    absent: Collection[str] = (),
    *,
    tables: Mapping[str, Any] | None = None,
) -> Written:
    """Predicts every row of a table, and writes the predictions beside the row's number.

    Of a row without any input nothing can be said: its predictions are null.

    Args:
        run: A run folder, what `zoo.train` gave, or a model.
        table: A table with the columns of the inputs; it needs no labels.
        output: A .parquet, .csv or .jsonl file; it is complete in the end or absent.
        absent: Inputs that count as absent from every row, whose columns need not be there.
        tables: A table in memory, as for `zoo.train`, by the name that stands behind `memory:` in `table`.

    Returns:
        How many rows were written.

    Raises:
        UsageError: There is no such run, table or input, a cell cannot be read, or no row has any input.
        ConflictError: Something is in the file's place already.
    """
    check_output(Path(output))
    model = model_of(run)
    given = with_tables(model.spec, tables, [str(table)]).tables
    rows = open_inputs(model, table, _known(model, absent), given)
    return write_table(Path(output), _row_by_row(model, rows, absent))


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


def _predicted(
    model: ZooModel, table: Table, absent: Collection[str], rows: Int[NDArray[np.int64], "chosen"] | None = None
) -> Iterator[Prediction]:
    """Predictions of some rows, or of all, in their order."""
    loader = unlabelled(model, table, _known(model, absent), rows)
    model.eval()
    device = next(model.parameters()).device
    for batch in loader:
        decoded = model.predict(batch.to(device))
        for values in zip(*decoded.values(), strict=True):
            yield dict(zip(decoded, values, strict=True))


def _row_by_row(model: ZooModel, table: Table, absent: Collection[str]) -> Iterator[Prediction | None]:
    """A prediction of each row of a table; None of one without any input."""
    filled = with_inputs(model, table, absent)
    if not filled.any():
        raise UsageError(f"`{table.name}`: no row has any input")
    predictions = _predicted(model, table, absent, filled.nonzero()[0])
    for there in filled.tolist():
        yield next(predictions) if there else None


def _known(model: ZooModel, absent: Collection[str]) -> Collection[str]:
    for name in absent:
        if name not in model.spec.inputs:
            guess = nearest(name, model.spec.inputs)
            advice = f"did you mean `{guess}`?" if guess else f"there are {', '.join(model.spec.inputs)}"
            raise UsageError(f"there is no input `{name}`; {advice}")
    if {*model.spec.inputs} <= {*absent}:
        raise UsageError("every input is to count as absent: nothing is left to predict from")
    return absent
