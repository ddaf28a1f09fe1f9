"""What parts learn from the training rows before they are built: means, class names, a vocabulary."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from zoo.component import FeatureSpec
from zoo.contract import BackboneContext, HeadContext, InputContext
from zoo.data.columns import cell_of, is_missing, part_columns
from zoo.data.inputs import make_chain
from zoo.data.rows import Selection, open_rows
from zoo.data.samples import cell_place
from zoo.data.tables import Table
from zoo.errors import PluginError, UsageError, ZooError
from zoo.registry.target import load_target
from zoo.spec.sections import Backbone, Part, SharedBackbone, Spec

Fitted: TypeAlias = dict[str, dict[str, Any]]
"""What was learnt, as JSON data, by kind of part (`inputs`, `backbones`, `heads`) and name."""

Columns: TypeAlias = tuple[str, ...]
Read: TypeAlias = Callable[[Mapping[str, Any], Path], Any]

UNKNOWN = FeatureSpec(dim=0, pooled_dim=0)
"""Features in the context of a head that learns: no backbone is built yet."""


def fit(spec: Spec) -> Fitted:
    """Lets every part that has a `fit` learn from the training rows that the spec names; nothing where it names none.

    Raises:
        UsageError: A table cannot be read, or a cell is not what a part takes.
        PluginError: A component cannot be imported.
    """
    return fit_rows(spec, open_rows(spec).training if spec.data.train else ())


def fit_rows(spec: Spec, rows: Sequence[Selection]) -> Fitted:
    """Like `fit`, from rows that are open already."""
    fitted: Fitted = {"inputs": {}, "backbones": {}, "heads": {}}
    if not rows:
        return fitted
    fitted["inputs"] = fit_inputs(spec, rows)
    for name, section in spec.inputs.items():
        backbone = section.backbone
        if isinstance(backbone, Backbone) and backbone.registered.component.fit:
            context, cells = _values(spec, name, backbone, rows, fitted["inputs"])
            _learn(fitted["backbones"], name, f"inputs.{name}.backbone", backbone, context, cells)
    for name, head in spec.heads.items():
        columns = part_columns(head)
        cells = _Cells([each for each in rows if name in each.heads], [(columns, partial(bare_cell, columns))])
        head_context = HeadContext(name=name, features=UNKNOWN, columns=columns)
        _learn(fitted["heads"], name, f"heads.{name}", head, head_context, cells)
    return fitted


def fit_inputs(spec: Spec, rows: Sequence[Selection]) -> dict[str, Any]:
    """What the inputs learn from rows, by name."""
    learnt: dict[str, Any] = {}
    for name, section in spec.inputs.items():
        columns = part_columns(section)
        cells = _Cells(rows, [(columns, partial(bare_cell, columns))])
        _learn(learnt, name, f"inputs.{name}", section, InputContext(name=name, columns=columns), cells)
    return learnt


class _Cells:
    """The cells that a part learns from, one after another, without those that are empty.

    Args:
        rows: Where they stand.
        readers: Columns, and what makes a cell of them; one reader after the other goes through all rows.
    """

    def __init__(self, rows: Sequence[Selection], readers: Sequence[tuple[Columns, Read]]) -> None:
        self._rows, self._readers = rows, readers
        self._last: tuple[Table, int, Columns] | None = None

    def __iter__(self) -> Iterator[Any]:
        for columns, read in self._readers:
            for selection in self._rows:
                for number, row in selection.cells(columns):
                    self._last = selection.table, number, columns
                    cell = read(row, selection.table.folder)
                    if cell is not None:
                        yield cell
        self._last = None

    @property
    def place(self) -> str:
        """Where the cell stands that was given last; "" once all were."""
        return cell_place(*self._last) if self._last is not None else ""


def _learn(learnt: dict[str, Any], name: str, place: str, part: Part, context: Any, cells: _Cells) -> None:
    """Notes under its name what a part learns, if it has a `fit`."""
    component = part.registered.component
    if not component.fit:
        return
    function = load_target(part.registered, component.fit)
    try:
        learnt[name] = function(part.options, context, iter(cells))
    except (ValueError, UsageError) as error:
        raise UsageError(f"`{place}`: " + ": ".join(filter(None, [cells.place, str(error)]))) from error
    except ZooError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise PluginError(f"`{place}`: `{part.registered.name}` fails to learn from the data: {told}") from error


def _values(
    spec: Spec, name: str, section: Backbone, rows: Sequence[Selection], inputs: Mapping[str, Any]
) -> tuple[BackboneContext, _Cells]:
    """What a backbone learns from: the values of all inputs that it reads, as it will be given them."""
    chains = [
        make_chain(part, each, inputs.get(each, {}))
        for each, part in spec.inputs.items()
        if each == name or (isinstance(part.backbone, SharedBackbone) and part.backbone.same_as == name)
    ]
    context = BackboneContext(name=section.registered.component.name, value=chains[0].gives)
    return context, _Cells(rows, [(chain.columns, chain.value) for chain in chains])


def bare_cell(columns: Columns, row: Mapping[str, Any], folder: Path) -> Any:
    """A cell as it stands in the table; None where it is empty."""
    cell = cell_of(row, columns)
    return None if is_missing(cell) else cell
