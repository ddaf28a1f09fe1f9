"""What turns a cell into the value that a backbone prepares: an input, and a front end where there is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.contract import Frontend, FrontendContext, InputContext, InputType, ValueSpec
from zoo.data.columns import cell_of, part_columns
from zoo.errors import PluginError, ZooError
from zoo.registry.target import load_target
from zoo.spec.sections import Input, Part


@dataclass(frozen=True)
class Chain:
    """What a cell goes through before its backbone: it is decoded, and turned into another modality.

    Args:
        columns: What makes up the cell.
        input: What decodes it.
        frontend: The front end, if there is one.
    """

    columns: tuple[str, ...]
    input: InputType
    frontend: Frontend | None

    @property
    def gives(self) -> ValueSpec:
        """What its values are."""
        return self.input.value if self.frontend is None else self.frontend.value

    def value(self, row: Mapping[str, Any], folder: Path) -> Any:
        """The row's value; None where it lacks this input.

        Args:
            row: Cells by column.
            folder: Where relative paths in them start.
        """
        cell = cell_of(row, self.columns)
        if self.input.is_missing(cell):
            return None
        value = self.input.decode(cell, folder)
        return value if self.frontend is None else self.frontend(value)


def factory(part: Part, place: str) -> Callable[[Any], Any]:
    """What makes a part from its context.

    Args:
        part: What the spec says of it.
        place: Where, for messages: `inputs.photo`.
    """
    build = load_target(part.registered, part.registered.component.target)

    def make(context: Any) -> Any:
        try:
            return build(part.options, context)
        except ZooError as error:
            error.args = (f"{place}: {error}",)
            raise
        except Exception as error:
            name = part.registered.name
            raise PluginError(f"{place}: `{name}` cannot be built: {type(error).__name__}: {error}") from error

    return make


def make_input(section: Input, name: str, fitted: Mapping[str, Any]) -> InputType:
    """What decodes the cells of an input.

    Args:
        section: What the spec says of it.
        name: Its name.
        fitted: What was learnt for it from the training rows.
    """
    context = InputContext(name=name, columns=part_columns(section), fitted=fitted)
    made: InputType = factory(section, f"inputs.{name}")(context)
    return made


def make_frontend(section: Input, name: str, value: ValueSpec) -> Frontend | None:
    """What turns the values of an input into another modality; None where they stay as they are."""
    if section.frontend is None:
        return None
    made: Frontend = factory(section.frontend, f"inputs.{name}.frontend")(FrontendContext(name=name, value=value))
    return made


def make_chain(section: Input, name: str, fitted: Mapping[str, Any]) -> Chain:
    """What a cell of an input goes through before its backbone.

    Args:
        section: What the spec says of the input.
        name: Its name.
        fitted: What was learnt for it from the training rows.
    """
    made = make_input(section, name, fitted)
    return Chain(part_columns(section), made, make_frontend(section, name, made.value))
