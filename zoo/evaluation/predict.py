"""`zoo.predict`: what a model makes of samples, and of the rows of a table."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zoo.component import Component
from zoo.data.columns import text_columns
from zoo.data.given import with_tables
from zoo.data.memory import samples_of
from zoo.data.open import unlabelled
from zoo.data.stream import open_stream
from zoo.data.tables import Table
from zoo.errors import UsageError, nearest
from zoo.evaluation.joined import write_predictions
from zoo.evaluation.processes import processes
from zoo.evaluation.rows import RowPredictions
from zoo.evaluation.written import check_output, check_schema
from zoo.model.calibration import calibrated
from zoo.model.model import ZooModel, untaught
from zoo.model.run import Trained, model_of

Prediction = dict[str, Any]
"""What each head says of a sample, by its name."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        rows: How many rows.
        empty: How many of them have no prediction, because they had no input.
        wrong: How many of them have none, because they could not be read.
        left_out: Columns of the table that were not kept, because they are heavy.
        seconds: How long it took, without loading the model.
        remarks: What the user should know of the predictions.
    """

    rows: int
    empty: int
    wrong: int = 0
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()


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
    columns: str | Sequence[str] = "light",
    on_error: Literal["fail", "skip"] = "fail",
    components: Iterable[Component] = (),
    watch: Callable[[int, int], None] | None = None,
    tables: Mapping[str, Any] | None = None,
) -> Written:
    """Predicts every row of a table, chunk by chunk, and writes the predictions beside the row's number and columns.

    Of a row without any input nothing can be said: its predictions are null. In several processes, as torchrun starts
    them, each predicts a range of the rows on a device of its own, and the first joins them: the file is the same.

    Args:
        run: A run folder, what `zoo.train` gave, or a model. A folder's model runs on the GPU if there is one.
        table: A table with the columns of the inputs; it needs no labels.
        output: A .parquet, .csv or .jsonl file; it is complete in the end or absent.
        absent: Inputs that count as absent from every row, whose columns need not be there.
        columns: Which of the table's columns to keep: `light`, all but embedded files and long lists; `all`; `none`; or
            their names. One that is called like a column of predictions becomes `table.<name>`.
        on_error: What to do about a row that cannot be read: `fail`, or `skip`, which leaves its predictions null and
            tells in a column `error` what is wrong.
        components: Components that the run was made with and that no installed plugin has, as for `zoo.train`.
        watch: Hears how many rows are done, and of how many, of this process's.
        tables: A table in memory, as for `zoo.train`, by the name that stands behind `memory:` in `table`.

    Returns:
        How many rows were written.

    Raises:
        UsageError: There is no such run, table, column or input, a cell cannot be read, or no row can be predicted.
        ConflictError: Something is in the file's place already.
    """
    path = Path(output)
    if on_error not in ("fail", "skip"):
        raise ValueError(f"on_error: {on_error!r} is neither `fail` nor `skip`")
    check_output(path)
    group = processes()
    model = model_of(run, components)
    if isinstance(run, (str, Path)):
        model.to(group.device)
    given = with_tables(model.spec, tables, [str(table)]).tables
    stream = open_stream(table, text_columns(model.spec), given)
    rows = RowPredictions(model, stream, _known(model, absent), columns, forgiving=on_error == "skip")
    check_schema(path, rows.schema)
    started = time.perf_counter()
    counts = write_predictions(path, rows, group, watch)
    seconds = time.perf_counter() - started
    remarks = tuple(remarks_on(model, absent))
    return Written(counts.rows, counts.empty, counts.wrong, rows.kept.left_out, seconds, remarks)


def remarks_on(model: ZooModel, absent: Collection[str]) -> Iterator[str]:
    """What the user should know of predictions: which probabilities are calibrated, which absence nobody taught."""
    yield from calibrated(model)
    if names := [name for name in model.never_absent() if name in absent]:
        yield untaught(names)


def _predicted(model: ZooModel, table: Table, absent: Collection[str]) -> Iterator[Prediction]:
    """Predictions of all rows, in their order."""
    loader = unlabelled(model, table, _known(model, absent))
    model.eval()
    device = next(model.parameters()).device
    for batch in loader:
        decoded = model.predict(batch.to(device))
        for values in zip(*decoded.values(), strict=True):
            yield dict(zip(decoded, values, strict=True))


def _known(model: ZooModel, absent: Collection[str]) -> Collection[str]:
    for name in absent:
        if name not in model.spec.inputs:
            guess = nearest(name, model.spec.inputs)
            advice = f"did you mean `{guess}`?" if guess else f"there are {', '.join(model.spec.inputs)}"
            raise UsageError(f"there is no input `{name}`; {advice}")
    if {*model.spec.inputs} <= {*absent}:
        raise UsageError("every input is to count as absent: nothing is left to predict from")
    return absent
