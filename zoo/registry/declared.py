"""Is what a plugin declares well formed? A wrong declaration is refused whole, so that no verb stumbles over it."""

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from zoo.component import ALTERS, RESERVED, Augmentation, Component, Kind
from zoo.document.fields import Field, fields_of, members

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)*|\*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*")
_AUGMENTATION = re.compile(r"(?!none$|light$|strong$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SCALARS = (bool, int, float, str, NoneType, Any)


def well_formed(results: Iterable[Any]) -> list[Component]:
    """The components of a plugin's results, if all of them are well formed.

    Raises:
        TypeError: Something is not of the type that the door asks for.
        ValueError: A name, a target, a pattern or an option cannot be.
    """
    declared = [component for result in results for component in result]
    names: set[str] = set()
    for component in declared:
        if not isinstance(component, Component):
            raise TypeError(f"zoo_components gave {component!r}, which is no zoo.Component")
        _check_fields(component)
        _check_options(component)
        _check_augmentations(component)
        if component.name in names:
            raise ValueError(f"the component `{component.name}` is declared twice")
        names.add(component.name)
    return declared


def _check_fields(component: Component) -> None:
    name = component.name
    if not isinstance(component.kind, Kind):
        raise TypeError(f"`{name}`: kind must be one of zoo.Kind, not {component.kind!r}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"`{name}` is no component name")
    if not _TARGET.fullmatch(component.target):
        raise ValueError(f"`{name}`: the target `{component.target}` is not of the form module:attribute")
    for field, wanted in (("modality", tuple), ("provides", frozenset), ("needs", frozenset), ("requires", tuple)):
        value = getattr(component, field)
        if not isinstance(value, wanted) or not all(isinstance(word, str) for word in value):
            raise TypeError(f"`{name}`: {field} must be a {wanted.__name__} of texts, not {value!r}")
    if component.fit and not (isinstance(component.fit, str) and _TARGET.fullmatch(component.fit)):
        raise ValueError(f"`{name}`: fit, `{component.fit}`, is not of the form module:attribute")
    for field in ("summary", "source", "weights"):
        if not isinstance(getattr(component, field), str):
            raise TypeError(f"`{name}`: {field} must be a text, not {getattr(component, field)!r}")
    if component.kind in (Kind.INPUT, Kind.BACKBONE) and not component.modality:
        raise ValueError(f"`{name}`: without a modality the {component.kind} fits nothing")
    if component.kind is Kind.FRONTEND and len(component.modality) != 2:
        raise ValueError(f"`{name}`: a front end has two modalities, what it takes and what it gives")
    if (name == "*") != (component.family is not None):
        raise ValueError(f"`{name}`: a family, and nothing else, has the name `*`")
    if component.family is not None and component.family.beyond is not None:
        _check_pattern(name, component.family.beyond)
    for requirement in component.requires:
        _check_requirement(name, requirement)


def _check_options(component: Component) -> None:
    name, options = component.name, component.options
    if options is None:
        return
    if not isinstance(options, type) or not is_dataclass(options):
        raise TypeError(f"`{name}`: options must be a dataclass, not {options!r}")
    unset = [field.name for field in fields(options) if not field.init]
    if unset:
        raise ValueError(f"`{name}`: the option `{unset[0]}` has init=False, so that no spec could set it")
    taken = RESERVED[component.kind] & set(fields_of(options))
    if taken:
        raise ValueError(f"`{name}`: the option `{min(taken)}` is a key of the language for every {component.kind}")
    for field in fields_of(options).values():
        _check_option(name, field)


def _check_augmentations(component: Component) -> None:
    declared = component.augmentations
    if not isinstance(declared, tuple) or not all(isinstance(each, Augmentation) for each in declared):
        raise TypeError(f"`{component.name}`: augmentations must be a tuple of zoo.Augmentation, not {declared!r}")
    if declared and component.kind not in (Kind.INPUT, Kind.FRONTEND):
        raise ValueError(f"`{component.name}`: inputs and front ends have augmentations; a {component.kind} has none")
    for number, each in enumerate(declared):
        name = f"{component.name}`, augmentation `{each.name}"
        if not _AUGMENTATION.fullmatch(each.name) or each.name in [other.name for other in declared[:number]]:
            raise ValueError(f"`{name}`: it is no name, or declared twice; write lower-case words with dashes")
        if not _TARGET.fullmatch(each.target):
            raise ValueError(f"`{name}`: the target `{each.target}` is not of the form module:attribute")
        if not isinstance(each.options, type) or not is_dataclass(each.options):
            raise TypeError(f"`{name}`: options must be a dataclass, not {each.options!r}")
        for field in fields_of(each.options).values():
            _check_option(name, field)
            if field.required:
                raise ValueError(f"`{name}`: its name alone must be enough, but the option `{field.name}` is required")
        for preset in (each.light, each.strong):
            if preset is not None and not isinstance(preset, each.options):
                raise TypeError(f"`{name}`: in a preset it has {preset!r}, which are no options of it")
        if not each.alters <= ALTERS:
            raise ValueError(f"`{name}`: alters {sorted(each.alters - ALTERS)}; known are {sorted(ALTERS)}")


def _check_option(name: str, field: Field) -> None:
    if not _is_supported(field.hint):
        raise TypeError(f"`{name}`: the option `{field.name}` has a type that no spec can hold: {field.hint!r}")
    if not field.required and not _fits(field.default, field.hint):
        raise TypeError(f"`{name}`: the default of the option `{field.name}` is not of its type: {field.default!r}")
    _check_pattern(name, dict(field.bounds).get("pattern", ""))


def _check_requirement(name: str, requirement: str) -> None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        raise ValueError(f"`{name}`: requires `{requirement}`, which is no requirement: {error}") from None


def _check_pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"`{name}`: `{pattern}` is no regular expression: {error}") from None


def _fits(value: Any, hint: Any) -> bool:
    """Whether a default is of one of the types that the option takes."""
    for member in members(hint):
        origin = get_origin(member)
        if member is Any or (origin is Literal and value in get_args(member)):
            return True
        if (origin in (list, dict) and isinstance(value, origin)) or (member is float and type(value) is int):
            return True
        if isinstance(member, type) and origin is None and type(value) is member:
            return True
    return False


def _is_supported(hint: Any) -> bool:
    """Whether plain YAML data can be of this type: scalars, literals, lists, dicts with texts as keys, dataclasses."""
    return all(_is_supported_member(member) for member in members(hint))


def _is_supported_member(member: Any) -> bool:
    origin, arguments = get_origin(member), get_args(member)
    if isinstance(member, type) and is_dataclass(member):
        return all(_is_supported(field.hint) for field in fields_of(member).values())
    if origin is list:
        return _is_supported(arguments[0])
    if origin is dict:
        return arguments[0] is str and _is_supported(arguments[1])
    return origin is Literal or member in _SCALARS
