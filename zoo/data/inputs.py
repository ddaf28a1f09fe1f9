"""What turns a cell into the value that a backbone prepares: an input, and a front end where there is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.contract import AugmentContext, Frontend, FrontendContext, InputContext, InputType, ValueSpec
from zoo.data.columns import cell_of, part_columns
from zoo.errors import BuildError, ZooError
from zoo.registry.registry import Registered
from zoo.registry.target import load_target
from zoo.spec.sections import Augment, Input, Part


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
        decoded = self.decoded(row, folder)
        return None if decoded is None else self.turned(decoded)

    def decoded(self, row: Mapping[str, Any], folder: Path) -> Any:
        """What the row's cell holds, before any front end; None where it lacks this input.

        Args:
            row: Cells by column.
            folder: Where relative paths in them start.
        """
        cell = cell_of(row, self.columns)
        return None if self.input.is_missing(cell) else self.input.decode(cell, folder)

    def turned(self, decoded: Any) -> Any:
        """The value that the front end, if there is one, makes of a decoded one."""
        return decoded if self.frontend is None else self.frontend(decoded)


def factory(part: Part, place: str) -> Callable[[Any], Any]:
    """What makes a part from its context.

    Args:
        part: What the spec says of it.
        place: Where, for messages: `inputs.photo`.
    """
    return _maker(part.registered, part.registered.component.target, part.options, place)


def make_augment(chosen: Augment, part: Part, place: str, context: AugmentContext) -> Callable[[Any], Any]:
    """What changes values at random.

    Args:
        chosen: What the spec, or a preset, says of it.
        part: The input or front end that declares it.
        place: Where the spec names it, for messages.
        context: What it is built from.
    """
    make = _maker(part.registered, chosen.declared.target, chosen.options, place)
    made: Callable[[Any], Any] = make(context)
    return made


def _maker(registered: Registered, target: str, options: Any, place: str) -> Callable[[Any], Any]:
    """What calls a plugin's factory with options and a context."""
    build = load_target(registered, target)

    def make(context: Any) -> Any:
        try:
            return build(options, context)
        except ZooError as error:
            error.args = (f"{place}: {error}",)
            raise
        except Exception as error:
            name = registered.name
            told = str(error)[:1000]  # it may cite what it was built from
            raise BuildError(f"{place}: `{name}` cannot be built: {type(error).__name__}: {told}") from error

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
