"""What holds for inputs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.contract import InputContext, InputType, ValueSpec
from zoo.data.columns import part_columns
from zoo.data.inputs import make_input
from zoo.spec.sections import Input
from zoo.testing.along import parts_with_weights, taken_along
from zoo.testing.case import Case, refusal
from zoo.testing.compare import differences
from zoo.testing.samples import sample_cells

FOLDER = Path()


class InputTrial:
    """An input, and cells for it.

    Args:
        case: The input and its options; its samples are cells, of several columns mappings by column.
    """

    def __init__(self, case: Case) -> None:
        part = case.part
        assert isinstance(part, Input)
        self.case, self.part = case, part
        self.columns = part_columns(part)
        modality = case.registered.component.modality[0]
        self.cells = sample_cells(modality, self.columns) if case.samples is None else list(case.samples)
        context = InputContext(name="sample", columns=self.columns)
        self.learnt = case.fitted(context, self.cells)

    def build(self) -> InputType:
        """The input, after it has learnt from the cells."""
        return make_input(self.part, "sample", self.learnt)

    def values(self) -> tuple[ValueSpec, list[Any]]:
        """The decoded cells, and what they are."""
        made = self.build()
        return made.value, [made.decode(cell, FOLDER) for cell in self.cells]


def values_are_of_its_spec(trial: InputTrial) -> Iterator[str]:
    """Every cell becomes a value as `value` describes it."""
    made = trial.build()
    if made.value.modality not in trial.case.registered.component.modality:
        yield f"`value` is of the modality `{made.value.modality}`, which the component does not declare"
    for number, cell in enumerate(trial.cells):
        for misfit in misfits(made.decode(cell, FOLDER), made.value):
            yield f"the value of cell {number} {misfit}"


def decoding_can_be_repeated(trial: InputTrial) -> Iterator[str]:
    """A cell has one value, a second time and in a worker process; the input holds no weights."""
    made = trial.build()
    for name in parts_with_weights(made):
        yield f"it takes a {name} along to every worker process"
    for other, where in ((made, "a second time"), (taken_along(made), "in a worker process")):
        for number, cell in enumerate(trial.cells):
            if not _same(made.decode(cell, FOLDER), other.decode(cell, FOLDER)):
                yield f"cell {number} has another value {where}"


def missing_cells_are_missing(trial: InputTrial) -> Iterator[str]:
    """Null is missing, null in all of several columns too; no cell with something in it is."""
    made = trial.build()
    nothing = None if len(trial.columns) == 1 else dict.fromkeys(trial.columns)
    if not made.is_missing(nothing):
        yield f"`is_missing` takes {nothing} for a value"
    if any(made.is_missing(cell) for cell in trial.cells):
        yield "`is_missing` takes a cell with a value for missing"


def what_can_be_decoded_passes_the_check(trial: InputTrial) -> Iterator[str]:
    """`check` refuses no cell that `decode` takes: it would stop a training that could begin."""
    made = trial.build()
    for number, cell in enumerate(trial.cells):
        try:
            made.check(cell, FOLDER)
        except ValueError as error:
            yield f"`check` refuses cell {number}, which it decodes: {error}"


def wrong_cells_are_refused(trial: InputTrial) -> Iterator[str]:
    """What is no cell of this input is refused with a ValueError, to which zoo adds file, row and column."""
    made = trial.build()
    wrong: Any = object() if len(trial.columns) == 1 else dict.fromkeys(trial.columns, object())
    yield from refusal(lambda cell: made.decode(cell, FOLDER), wrong, "`decode`")


def what_is_learnt_is_plain_data(trial: InputTrial) -> Iterator[str]:
    """What `fit` learns is JSON data, so that it can be kept with the model."""
    if json.loads(json.dumps(trial.learnt)) != trial.learnt:
        yield "what `fit` learns is not the same after it went through JSON"


LAWS = (
    values_are_of_its_spec,
    decoding_can_be_repeated,
    missing_cells_are_missing,
    what_can_be_decoded_passes_the_check,
    wrong_cells_are_refused,
    what_is_learnt_is_plain_data,
)


def misfits(value: Any, spec: ValueSpec) -> Iterator[str]:
    """How a value is not as its spec describes it."""
    if spec.modality == "text":
        if not isinstance(value, str):
            yield f"is a {type(value).__name__}; a text is a str"
    elif not isinstance(value, Tensor):
        if spec.modality in ("image", "audio", "vector", "sequence"):
            yield f"is a {type(value).__name__}; expected a tensor"
    elif spec.shape and (len(value.shape) != len(spec.shape) or not _fits(tuple(value.shape), spec.shape)):
        yield f"has the shape {list(value.shape)}; `value` says {list(spec.shape)}"


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return all(side is None or side == own for own, side in zip(shape, wanted, strict=True))


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return not any(differences(first, second))
    return bool(first == second)
