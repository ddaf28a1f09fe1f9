"""Rows that stop what is learnt before a model is built: found one by one, where learning from all of them fails."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from zoo.contract import HeadContext, InputContext
from zoo.data.columns import part_columns
from zoo.data.fit import UNKNOWN, Fitted, bare_cell, fit, fit_inputs, fit_rows
from zoo.data.inputs import make_chain
from zoo.data.rows import Selection, open_rows
from zoo.data.samples import CellError, at
from zoo.data.usable import Unusable, unusable, without
from zoo.errors import UsageError
from zoo.registry.target import load_target
from zoo.spec.sections import Backbone, Part, Spec

Check = Callable[[Any], object]


def fit_learnable(spec: Spec) -> Fitted:
    """Like `fit`, with `data.on_error: skip` from those rows alone that can be learnt from."""
    if not spec.data.train or spec.data.on_error == "fail":
        return fit(spec)
    rows = open_rows(spec).training
    return fit_rows(spec, without(rows, find_unlearnable(spec, rows)))


def find_unlearnable(spec: Spec, rows: Sequence[Selection]) -> list[Unusable]:
    """The training rows with a cell that an input, a backbone or a head cannot learn from.

    Each part's `fit` is given one cell at a time, behind the first that it took: a cell is wrong by itself, or because
    it differs from that one, as a list of another length does.

    Raises:
        UsageError: Learning fails, and it is not for the sake of single rows.
    """
    try:
        fit_rows(spec, rows)
    except UsageError as error:
        found = wrong_cells(spec, rows)
        found += _undecoded(spec, without(rows, found))
        if not found:
            raise error
        return found
    return []


def wrong_cells(spec: Spec, rows: Sequence[Selection]) -> list[Unusable]:
    """The rows with a cell that an input or a head cannot learn from, the first such cell of each."""
    found: list[Unusable] = []
    for name, section in spec.inputs.items():
        columns = part_columns(section)
        found += _wrong(rows, columns, _learning(section, InputContext(name=name, columns=columns)))
    for name, head in spec.heads.items():
        columns = part_columns(head)
        learn = _learning(head, HeadContext(name=name, features=UNKNOWN, columns=columns))
        found += _wrong([each for each in rows if name in each.heads], columns, learn)
    return list({(each.table, each.row): each for each in reversed(found)}.values())


def _undecoded(spec: Spec, rows: Sequence[Selection]) -> Iterator[Unusable]:
    """Rows that an input cannot decode whose backbone learns from its values."""
    learning = {
        name: section
        for name, section in spec.inputs.items()
        if isinstance(section.backbone, Backbone) and section.backbone.registered.component.fit
    }
    fitted = fit_inputs(spec, rows) if learning and rows else {}
    for name, section in learning.items():
        chain = make_chain(section, name, fitted.get(name, {}))
        for selection in rows:
            for number, row in selection.cells(chain.columns):
                try:
                    with at(selection.table, number, chain.columns):
                        chain.value(row, selection.table.folder)
                except CellError as error:
                    yield unusable(selection, number, error)


class _Taken:
    """Cells, and whether all were taken and more was asked for."""

    def __init__(self, cells: Sequence[Any]) -> None:
        self._cells = cells
        self.all = False

    def __iter__(self) -> Iterator[Any]:
        yield from self._cells
        self.all = True


def _learning(part: Part, context: Any) -> Check | None:
    """What raises where a part cannot learn from a cell; None of a part that learns nothing."""
    component = part.registered.component
    if not component.fit:
        return None
    function = load_target(part.registered, component.fit)
    taken: list[Any] = []

    def learn(cell: Any) -> None:
        cells = _Taken([*taken, cell])
        try:
            function(part.options, context, iter(cells))
        except (ValueError, UsageError):
            if not cells.all:  # what is said after the last is said of all together, as that two classes are needed
                raise
        if not taken:
            taken.append(cell)

    return learn


def _wrong(rows: Sequence[Selection], columns: tuple[str, ...], learn: Check | None) -> Iterator[Unusable]:
    for selection in rows if learn is not None and columns else ():
        for number, row in selection.cells(columns):
            cell = bare_cell(columns, row, selection.table.folder)
            if cell is None or learn is None:
                continue
            try:
                with at(selection.table, number, columns):
                    learn(cell)
            except CellError as error:
                yield unusable(selection, number, error)
