"""What holds for declarations."""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, Protocol, get_args

import torch

from zoo.document.fields import fields_of, members
from zoo.errors import UsageError
from zoo.spec.sections import Part
from zoo.testing.case import Case


class Tried(Protocol):
    """A trial of any kind of component."""

    case: Case

    def __init__(self, case: Case) -> None: ...

    def build(self) -> Any:
        """The component."""


def everything_is_documented(trial: Tried) -> Iterator[str]:
    """The component has a summary, as have its augmentations, and every option a sentence of its own."""
    component = trial.case.registered.component
    if not component.summary:
        yield "the component has no `summary`"
    if component.options is not None:
        yield from _undocumented(component.options, "")
    for each in component.augmentations:
        if not each.summary:
            yield f"the augmentation `{each.name}` has no `summary`"
        yield from _undocumented(each.options, f"{each.name}.")


def _undocumented(options: type, prefix: str) -> Iterator[str]:
    for name, field in fields_of(options).items():
        if not field.doc:
            yield f"the option `{prefix}{name}` has no `doc`"
        for member in (each for hint in members(field.hint) for each in (hint, *get_args(hint))):
            if isinstance(member, type) and is_dataclass(member) and not issubclass(member, Part):
                yield from _undocumented(member, f"{prefix}{name}.")


def defaults_can_be_built(trial: Tried) -> Iterator[str]:
    """With no option but those that must be given it is built too, or tells the user what it lacks.

    That the samples are not for these options, which `fit` says with a ValueError, is no defect.
    """
    try:
        plain = type(trial)(trial.case.with_defaults())
        with torch.device("meta"):  # the defaults may be large
            plain.build()
    except (UsageError, ValueError):
        return
    except Exception as error:
        yield f"with its default options it cannot be built: {type(error).__name__}: {error}"


LAWS = (everything_is_documented, defaults_can_be_built)
