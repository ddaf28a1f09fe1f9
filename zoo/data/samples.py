"""From a row of a table to a sample: cells decoded, checked, and prepared for their backbones."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor

from zoo.contract import Backbone, Frontend, Head, InputType
from zoo.data.augment import Changes
from zoo.data.columns import cell_of, is_missing, part_columns
from zoo.data.inputs import Chain
from zoo.data.order import seed_of
from zoo.errors import UsageError
from zoo.spec.sections import Spec

View = Mapping[str, Tensor]


class Origin(Protocol):
    """Where rows stand: a table, or what is left of one row of it."""

    @property
    def folder(self) -> Path:
        """Where relative paths in its cells start."""

    def place(self, row: int) -> str:
        """Where a row stands, for messages: "`train.csv`, line 17"."""


class Parts(Protocol):
    """What of a model prepares samples."""

    spec: Spec
    inputs: dict[str, InputType]
    frontends: dict[str, Frontend]

    def backbone(self, name: str) -> Backbone:
        """The backbone that reads this input."""

    def head(self, name: str) -> Head:
        """The head of this name."""


class CellError(UsageError):
    """A row that cannot be used.

    Args:
        message: What is wrong, with its place.
        columns: Columns of the cell that is wrong; none where it is the whole row.
        reason: What is wrong, without its place.
    """

    def __init__(self, message: str, columns: Collection[str] = (), reason: str = "") -> None:
        super().__init__(message)
        self.columns, self.reason = tuple(columns), reason


@dataclass(frozen=True, slots=True)
class Sample:
    """A prepared row.

    Args:
        inputs: What each backbone reads, by input; inputs that the row lacks are left out.
        labels: Labels by head; heads whose label the row lacks are left out. Of a head without labels, None.
        views: Several views of the row, by the head that asked for them.
        row: Number of the row in its table.
    """

    inputs: View
    labels: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[str, tuple[View, ...]] = field(default_factory=dict)
    row: int = 0


class Preparation:
    """Prepares the rows of tables for a model.

    Worker processes take it along. `columns` are those that it reads, if the table has them.

    Args:
        model: Whose inputs, front ends, backbones and heads prepare.
        heads: Heads whose labels are read; none to predict.
        absent: Inputs that count as absent from every row, whose columns are not read.
        changes: What is changed at random, by input.
        some: Whether these are some of the inputs of a row, of which another may be there: then none need be.
    """

    def __init__(
        self,
        model: Parts,
        heads: Collection[str] = (),
        absent: Collection[str] = (),
        changes: Mapping[str, Changes] = MappingProxyType({}),
        *,
        some: bool = False,
    ) -> None:
        spec = model.spec
        self.chains = {
            name: Chain(part_columns(section), model.inputs[name], model.frontends.get(name))
            for name, section in spec.inputs.items()
            if name not in absent
        }
        self.prepares = {name: model.backbone(name).prepare for name in self.chains}
        self._some = some
        self.heads = {name: model.head(name) for name in spec.heads if name in heads}
        self.labels = {name: part_columns(spec.heads[name]) for name in self.heads}
        read = [*(chain.columns for chain in self.chains.values()), *self.labels.values()]
        self.columns = tuple(dict.fromkeys(column for columns in read for column in columns))
        self.changes = dict(changes)
        self.viewing = [name for name, head in self.heads.items() if type(head).views is not Head.views]

    @property
    def fixed(self) -> bool:
        """Whether a row is prepared the same way each time: no input is augmented, no head makes views of its own."""
        return not self.viewing and not self.changes

    def sample(self, table: Origin, number: int, row: Mapping[str, Any], heads: Collection[str], seed: int) -> Sample:
        """Prepares a row.

        Args:
            table: Where it stands.
            number: Its number in the table.
            row: Its cells by column.
            heads: Heads that learn from it; the labels of others are not read.
            seed: Of augmentations and views, which draw their random numbers from torch's default generator. Views are
                made of values that are not augmented.

        Raises:
            CellError: A cell cannot be decoded or prepared, a label is none, or no input is there at all; the message
                names file, row and column.
        """
        values: dict[str, Any] = {}
        inputs: dict[str, Tensor] = {}
        for name, chain in self.chains.items():
            with at(table, number, chain.columns):
                decoded = chain.decoded(row, table.folder)
                if decoded is None:
                    continue
                if self.viewing:
                    values[name] = chain.turned(decoded)
                inputs[name] = self.prepares[name](self._value(name, decoded, seed))
        if not inputs and not self._some:
            columns = ", ".join(f"`{column}`" for chain in self.chains.values() for column in chain.columns)
            reason = f"it has no input at all ({columns} are empty); fill one in or remove the row"
            raise CellError(f"{table.place(number)}: {reason}", (), reason)
        labels = self.labels_of(table, number, row, heads)
        views = {name: self._views(name, values, seed) for name in self.viewing if name in labels}
        return Sample(inputs, labels, views, number)

    def labels_of(self, table: Origin, number: int, row: Mapping[str, Any], heads: Collection[str]) -> dict[str, Any]:
        """The labels of a row, by head, without those that it lacks; None of a head that needs no labels.

        Args:
            table: Where it stands.
            number: Its number in the table.
            row: Its cells by column.
            heads: Heads that learn from it.

        Raises:
            CellError: A label is none; the message names table, row and column.
        """
        return dict(self._labels(table, number, row, heads))

    def _labels(
        self, table: Origin, number: int, row: Mapping[str, Any], heads: Collection[str]
    ) -> Iterator[tuple[str, Any]]:
        for name, columns in self.labels.items():
            if name not in heads:
                continue
            if not columns:
                yield name, None
                continue
            cell = cell_of(row, columns)
            if not is_missing(cell):
                with at(table, number, columns):
                    label = self.heads[name].label(cell)
                yield name, label

    def _value(self, name: str, decoded: Any, seed: int) -> Any:
        """What an input's backbone prepares, changed at random where the input is augmented."""
        if name not in self.changes:
            return self.chains[name].turned(decoded)
        with drawing(seed_of(seed, name)):
            return self.changes[name].value(decoded, self.chains[name])

    def _views(self, head: str, values: Mapping[str, Any], seed: int) -> tuple[View, ...]:
        with drawing(seed):
            views = self.heads[head].views(values)
        return tuple({name: self.prepares[name](value) for name, value in view.items()} for view in views)


@contextmanager
def drawing(seed: int) -> Iterator[None]:
    """Gives torch's default generator a seed, and puts it back behind."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def cell_place(table: Origin, number: int, columns: Collection[str]) -> str:
    """Where a cell stands, for messages: "`train.csv`, line 17, column `price`"."""
    named = ", ".join(f"`{column}`" for column in columns)
    return f"{table.place(number)}, {'column' if len(columns) == 1 else 'columns'} {named}"


@contextmanager
def at(table: Origin, number: int, columns: Collection[str]) -> Iterator[None]:
    """Puts the place of a cell before what is wrong with it."""
    try:
        yield
    except (ValueError, UsageError) as error:
        raise CellError(f"{cell_place(table, number, columns)}: {error}", columns, str(error)) from error
