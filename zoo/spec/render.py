"""The canonical form: full names, full forms, every effective value, and where each came from."""

from dataclasses import is_dataclass
from typing import Any

from zoo.document.fields import fields_of
from zoo.document.nodes import Path
from zoo.document.write import lines_of
from zoo.spec.sections import Augment, Part, Spec


def spec_data(spec: Spec | Part) -> dict[str, Any]:
    """A spec, or a part of one, as plain data in canonical form: dicts, lists, texts, numbers, booleans and None."""
    data: dict[str, Any] = _data(spec)
    return data


def spec_origins(spec: Spec) -> dict[Path, str]:
    """Where each leaf of `spec_data` came from: `spec.yaml:12`, `--set`, `default`, `default of zoo/concat`."""
    return {path: _origin(spec, path) for path in _leaves(spec_data(spec), ())}


def render_spec(spec: Spec, *, origins: bool = False) -> str:
    """The canonical form as YAML. Loading it gives an equal spec, and rendering that gives the same text.

    Args:
        spec: A checked spec.
        origins: Tell behind each value where it came from, as a comment.
    """
    lines = lines_of(spec_data(spec))
    if not origins:
        return "".join(f"{text}\n" for text, _ in lines)
    width = min(60, max(len(text) for text, _ in lines))
    told = ((text, _origin(spec, path)) for text, path in lines)
    return "".join(f"{text:<{width}}  # {origin}\n" if origin else f"{text}\n" for text, origin in told)


def _origin(spec: Spec, path: Path) -> str:
    """The origin of a value, or of the nearest value around it that has one."""
    for length in range(len(path), 0, -1):
        if origin := (spec.origins or {}).get(path[:length]):
            return "".join(character if character.isprintable() else "?" for character in origin)
    return ""


def _data(value: Any) -> Any:
    """An instance of a section as a dict, a component's options flattened into it behind the language's own keys."""
    if isinstance(value, dict):
        return {key: _data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(item) for item in value]
    if not is_dataclass(value):
        return value
    if isinstance(value, Augment):
        return {value.name: _data(value.options)}
    data = {name: _data(getattr(value, name)) for name in fields_of(type(value))}
    if isinstance(value, Part) and value.options is not None:
        data |= {name: _data(getattr(value.options, name)) for name in fields_of(type(value.options))}
    return data


def _leaves(value: Any, path: Path) -> list[Path]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*path, index))]
    return [path]
