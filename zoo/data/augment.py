"""Augmentation: what a training changes at random in the values of inputs, and which rows it mixes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from zoo.contract import AugmentContext, Frontend, InputType
from zoo.data.inputs import Chain, make_augment
from zoo.data.mixing import Mixing, make_mixing
from zoo.data.presets import Learning, told_by_labels
from zoo.errors import UsageError
from zoo.spec.sections import Augment, Input, Part

Change = Callable[[Any], Any]


class Trained(Learning, Protocol):
    """What of a model is augmented."""

    inputs: dict[str, InputType]
    frontends: dict[str, Frontend]
    fitted: dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """What is done to a value at random.

    Args:
        decoded: Changes of the decoded value, one after another.
        turned: Changes of what its front end made of it.
    """

    decoded: tuple[Change, ...] = ()
    turned: tuple[Change, ...] = ()

    def value(self, decoded: Any, chain: Chain) -> Any:
        """The changed value, drawn from torch's default generator.

        Args:
            decoded: What the cell holds.
            chain: The input.
        """
        for change in self.decoded:
            decoded = change(decoded)
        value = chain.turned(decoded)
        for change in self.turned:
            value = change(value)
        return value


@dataclass(frozen=True)
class Augmentation:
    """What makes each epoch of a training another one.

    Args:
        inputs: Changes by input; only of those that are augmented.
        mixing: Mixes the rows of a batch, if it is asked for.
        remarks: What the user should know of it: what presets leave out, and why.
    """

    inputs: Mapping[str, Changes] = field(default_factory=dict)
    mixing: Mixing | None = None
    remarks: tuple[str, ...] = ()


NONE = Augmentation()
"""No augmentation: for everything but training."""


def make_augmentation(model: Trained) -> Augmentation:
    """What the spec of a model asks for.

    Raises:
        UsageError: An augmentation that is named cannot be done to the values of its input.
        PluginError: One cannot be imported or built.
    """
    remarks: list[str] = []
    inputs: dict[str, Changes] = {}
    for name, section in model.spec.inputs.items():
        decoded = _made(model, name, section, section, remarks)
        turned = _made(model, name, section, section.frontend, remarks) if section.frontend is not None else ()
        if decoded or turned:
            inputs[name] = Changes(decoded, turned)
    values = {name: (model.frontends.get(name) or part).value for name, part in model.inputs.items()}
    return Augmentation(inputs, make_mixing(model.spec, values), tuple(remarks))


def _made(model: Trained, name: str, section: Input, part: Part, remarks: list[str]) -> tuple[Change, ...]:
    """The changes that an input or its front end makes; what a preset leaves out is remarked."""
    chosen, context = section.augment, _context(model, name, part)
    preset = isinstance(chosen, str)
    told = told_by_labels(model, name) if preset else {}
    place = f"inputs.{name}.augment"
    made: list[Change] = []
    out: dict[str, list[str]] = {}
    for each in wanted(chosen, part):
        reason = next((told[alters] for alters in sorted(each.declared.alters) if alters in told), "")
        try:
            if not reason:
                made.append(make_augment(each, part, place, context))
        except UsageError as error:
            if not preset:
                raise
            reason = str(error).removeprefix(f"{place}: ")
        if reason:
            out.setdefault(reason, []).append(f"`{each.name}`")
    for reason, names in out.items():
        remarks.append(f"`{place}: {chosen}` leaves out {', '.join(names)}: {reason}; a list is obeyed")
    return tuple(made)


def wanted(chosen: Any, part: Part) -> list[Augment]:
    """The augmentations of an input or front end that are asked for, in order.

    Args:
        chosen: The name of a preset, or a list.
        part: The input or front end.
    """
    declared = part.registered.component.augmentations
    if not isinstance(chosen, str):
        return [each for each in chosen if each.declared in declared]
    presets = [(each, getattr(each, chosen, None)) for each in declared]
    return [Augment(name=each.name, declared=each, options=options) for each, options in presets if options is not None]


def _context(model: Trained, name: str, part: Part) -> AugmentContext:
    section = model.spec.inputs[name]
    own = part is section
    fitted = model.fitted.get("inputs", {}).get(name, {}) if own else {}
    value = model.inputs[name].value if own else model.frontends[name].value
    return AugmentContext(name=name, value=value, options=part.options, fitted=fitted)
