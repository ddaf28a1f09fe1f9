"""Looks over rows before anything is learnt, so that a wrong label is told at once and not after the last epoch."""

from collections.abc import Iterator, Sequence

from zoo.contract import InputType
from zoo.data.columns import cell_of
from zoo.data.inputs import Chain
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, at
from zoo.errors import UsageError


def look_over(model: Parts, selections: Sequence[Selection]) -> None:
    """Checks every label, and whether the files are there that cells name. Nothing is decoded.

    Args:
        model: Whose inputs and heads read the rows.
        selections: The rows.

    Raises:
        UsageError: A label is none, or a file is not there; the message names table, row and column of the first, and
            how many more there are.
    """
    wrong = (problem for selection in selections for problem in _problems(model, selection))
    first = next(wrong, None)
    if first is not None:
        more = sum(1 for _ in wrong)
        raise UsageError(f"{first}; and {more} more cell{'s' * (more > 1)} cannot be used" if more else str(first))


def _problems(model: Parts, selection: Selection) -> Iterator[UsageError]:
    preparation = Preparation(model, selection.heads)
    labels = [column for columns in preparation.labels.values() for column in columns]
    for number, row in selection.cells(labels) if labels else ():
        try:
            preparation.labels_of(selection.table, number, row, selection.heads)
        except UsageError as error:
            yield error
    for chain in preparation.chains.values():
        if type(chain.input).check is not InputType.check:
            yield from _cell_problems(selection, chain)


def _cell_problems(selection: Selection, chain: Chain) -> Iterator[UsageError]:
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
