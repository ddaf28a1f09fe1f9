"""Looks over rows before anything is learnt, so that a wrong label is told at once and not after the last epoch."""

from collections.abc import Sequence

from zoo.contract import InputType
from zoo.data.columns import cell_of
from zoo.data.inputs import Chain
from zoo.data.rows import Selection
from zoo.data.samples import Parts, Preparation, at


def look_over(model: Parts, selections: Sequence[Selection]) -> None:
    """Checks every label, and whether the files are there that cells name. Nothing is decoded.

    Args:
        model: Whose inputs and heads read the rows.
        selections: The rows.

    Raises:
        UsageError: A label is none, or a file is not there; the message names table, row and column.
    """
    for selection in selections:
        preparation = Preparation(model, selection.heads)
        labels = [column for columns in preparation.labels.values() for column in columns]
        for number, row in selection.cells(labels) if labels else ():
            preparation.labels_of(selection.table, number, row, selection.heads)
        for chain in preparation.chains.values():
            if type(chain.input).check is not InputType.check:
                _check_cells(selection, chain)


def _check_cells(selection: Selection, chain: Chain) -> None:
    for number, row in selection.cells(chain.columns):
        cell = cell_of(row, chain.columns)
        if isinstance(cell, bytes) or (isinstance(cell, dict) and "bytes" in cell):
            return  # a column of embedded files, which would all be read for nothing
        if not chain.input.is_missing(cell):
            with at(selection.table, number, chain.columns):
                chain.input.check(cell, selection.table.folder)
