"""Looks over rows before anything is learnt, so that a wrong label is told at once and not after the last epoch."""

from collections.abc import Iterable, Iterator, Sequence

from zoo.contract import InputType
from zoo.data.columns import cell_of
from zoo.data.inputs import Chain
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, at
from zoo.errors import UsageError


def look_over_files(chains: Iterable[Chain], selections: Sequence[Selection]) -> None:
    """Looks whether the files are there that cells name. Nothing is decoded.

    Args:
        chains: What reads the cells of each input.
        selections: The rows.

    Raises:
        UsageError: A file is not there; the message names table, row and column of the first, and how many more.
    """
    checked = [chain for chain in chains if type(chain.input).check is not InputType.check]
    _tell(problem for each in selections for chain in checked for problem in _file_problems(each, chain))


def look_over_labels(model: Parts, selections: Sequence[Selection]) -> None:
    """Checks every label.

    Args:
        model: Whose heads read them.
        selections: The rows.

    Raises:
        UsageError: A label is none; the message names table, row and column of the first, and how many more.
    """
    _tell(problem for each in selections for problem in _label_problems(each, Preparation(model, each.heads)))


def _tell(problems: Iterator[UsageError]) -> None:
    first = next(problems, None)
    if first is not None:
        more = sum(1 for _ in problems)
        raise UsageError(f"{first}; and {more} more cell{'s' * (more > 1)} cannot be used" if more else str(first))


def _label_problems(selection: Selection, preparation: Preparation) -> Iterator[UsageError]:
    columns = [column for each in preparation.labels.values() for column in each]
    for number, row in selection.cells(columns) if columns else ():
        try:
            preparation.labels_of(selection.table, number, row, selection.heads)
        except UsageError as error:
            yield error


def _file_problems(selection: Selection, chain: Chain) -> Iterator[UsageError]:
    for number, row in selection.cells(chain.columns):
        cell = cell_of(row, chain.columns)
        if isinstance(cell, bytes) or (isinstance(cell, dict) and "bytes" in cell):
            return  # a column of embedded files, which would all be read for nothing
        if not chain.input.is_missing(cell):
            try:
                with at(selection.table, number, chain.columns):
                    chain.input.check(cell, selection.table.folder)
            except UsageError as error:
                yield error
