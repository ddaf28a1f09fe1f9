"""One file of predictions, by one process or by several that predict a range of the rows each."""

from collections.abc import Callable
from pathlib import Path

from zoo.errors import UsageError
from zoo.evaluation.processes import Processes
from zoo.evaluation.rows import Counts, RowPredictions
from zoo.evaluation.written import SINKS, part_rows, part_sink
from zoo.files import check_new, complete_file

Hears = Callable[[int, int], None]


def write_predictions(path: Path, rows: RowPredictions, group: Processes, watch: Hears | None = None) -> Counts:
    """Writes a file that is complete in the end or absent, the same whatever the number of processes.

    The first process writes its own rows and behind them, in order, those that the others left in files beside.

    Args:
        path: A .parquet, .csv or .jsonl file; nothing may be there.
        rows: The predictions.
        group: The processes, which see the same files.
        watch: Hears how many rows this process has done, and of how many.

    Returns:
        What became of all rows.

    Raises:
        UsageError: A row cannot be read, no row can be predicted, or another process failed.
        ConflictError: Something has come to be in the file's place.
    """
    return (_write_all if group.first else _write_part)(path, rows, group, watch)


def _write_all(path: Path, rows: RowPredictions, group: Processes, watch: Hears | None) -> Counts:
    with complete_file(path) as beside:
        group.gather(beside)
        with SINKS[path.suffix.lower()](beside, rows.schema) as sink:
            for table in rows.chunks(group.share(rows.stream.count), watch):
                sink.write(table)
            counts = _counts(rows, group)
            for index in range(1, group.count):
                for table in part_rows(_part(beside, index)):
                    sink.write(table)
        group.gather(None)  # the others' parts are not needed any more
        check_new(path)
    return counts


def _write_part(path: Path, rows: RowPredictions, group: Processes, watch: Hears | None) -> Counts:
    part = _part(group.gather(None)[0], group.index)
    try:
        with part_sink(part, rows.schema) as write:
            for table in rows.chunks(group.share(rows.stream.count), watch):
                write(table)
        counts = _counts(rows, group)
        group.gather(None)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _part(beside: Path, index: int) -> Path:
    """Where a process leaves its rows."""
    return beside.with_name(f"{beside.name}.{index}")


def _counts(rows: RowPredictions, group: Processes) -> Counts:
    """What became of the rows of all processes."""
    counts = sum(group.gather(rows.counts), Counts())
    if counts.rows == counts.empty + counts.wrong:
        told = f"no row can be predicted; the first: {counts.first_error}" if counts.wrong else "no row has any input"
        raise UsageError(f"`{rows.stream.name}`: {told}")
    return counts
