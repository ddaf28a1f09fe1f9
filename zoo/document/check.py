"""Nodes against option dataclasses: every error at its place, nothing passed over, the origin of every value."""

import contextlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic import Field as Constraint

from zoo.document.fields import (
    Field,
    describe,
    fields_of,
    leaves,
    members,
    section_in,
    sections_under,
    shorthand_of,
)
from zoo.document.nodes import Mapping, Node, Path, Scalar, Sequence, dotted, found, plain
from zoo.errors import MOST_PROBLEMS, ExitCode, Problem, SpecError, listed, nearest

_NO_CHOICE = object()
FAILED: Any = object()
"""What a check gives for a value whose problem is already noted."""


class Checker:
    """Turns nodes into instances of dataclasses, collecting every problem and where each value came from.

    `problems` and `origins` (path to `file:line` or `default`) fill up as it goes.

    Args:
        whole: What the whole text is, in words.
    """

    def __init__(self, whole: str = "the text") -> None:
        self.whole = whole
        self.problems: list[Problem] = []
        self.origins: dict[Path, str] = {}

    def problem(
        self,
        node: Node,
        path: Path,
        message: str,
        *,
        suggestion: str | None = None,
        hint: str = "",
        exit_code: int = ExitCode.USAGE,
    ) -> None:
        """Notes a problem.

        Raises:
            SpecError: There are so many that no more are looked for.
        """
        self.problems.append(node.problem(path, message, suggestion=suggestion, hint=hint, exit_code=exit_code))
        if len(self.problems) >= MOST_PROBLEMS:
            raise SpecError(self.problems)

    def section(self, cls: type, node: Node, path: Path, at: Node) -> Any:
        """A dataclass from a mapping, or from the short form that stands for one; `at` is where a gap is shown."""
        mapping = self.as_mapping(cls, node, path)
        if mapping is FAILED:
            return FAILED
        self.unknown_keys(mapping, path, dict.fromkeys(fields_of(cls), ""))
        return self.build(cls, self.values(cls, mapping, path, at), at, path, mapping)

    def as_mapping(self, cls: type, node: Node, path: Path) -> Any:
        """The node if it is a mapping; a scalar becomes one with the class's shorthand field."""
        short = shorthand_of(cls)
        if isinstance(node, Mapping):
            return node
        if short and isinstance(node, Scalar) and node.value is not None:
            return under(short.name, node)
        expected = f"the value of `{short.name}` or a mapping" if short else "a mapping"
        where = f"`{dotted(path)}`: " if path else ""
        self.problem(
            node, path, f"{where}expected {expected}, not {found(node)}", hint=f"keys: {listed(fields_of(cls))}"
        )
        return FAILED

    def elsewhere(self, key: str, path: Path) -> str:
        """Where a key that is unknown here would be valid, as a sentence; "" when nowhere."""
        return ""

    def unknown_keys(self, mapping: Mapping, path: Path, owners: dict[str, str]) -> None:
        """Notes keys that nobody owns; `owners` tells each valid key's owner, "" for the language itself."""
        for key, _ in mapping.pairs():
            if key.text in owners:
                continue
            hint = self.elsewhere(key.text, path)
            suggestion = None if hint else nearest(key.text, owners)
            if suggestion is None:
                hint = hint or f"valid keys: {listed(owners)}"
            elif owners[suggestion]:
                hint = f"it belongs to {owners[suggestion]}"
            where = f" in `{dotted(path)}`" if path else ""
            self.problem(key, (*path, key.text), f"unknown key `{key.text}`{where}", suggestion=suggestion, hint=hint)

    def values(self, cls: type | None, mapping: Mapping, path: Path, at: Node, owner: str = "") -> dict[str, Any]:
        """The values of a dataclass's fields, with defaults where the mapping is silent."""
        values: dict[str, Any] = {}
        for name, field in fields_of(cls).items():
            here = (*path, name)
            if name in mapping:
                values[name] = self.value(field, mapping.value(name), here, mapping.key(name))
            elif field.required:
                self._missing(field, mapping, path, at)
                values[name] = FAILED
            else:
                values[name] = self.default(field, here, owner)
        return values

    def _missing(self, field: Field, mapping: Mapping, path: Path, at: Node) -> None:
        """Notes a key that is not there; `{type:image}` is a key without a value, for want of a space."""
        for key, _ in mapping.pairs():
            if key.text.startswith(f"{field.name}:"):
                hint = f"write `{field.name}: {key.text.partition(':')[2]}`"
                self.problem(key, path, f"a space is missing after the colon of `{key.text}`", hint=hint)
                return
        where = f"`{dotted(path)}`" if path else self.whole
        self.problem(at, path, f"{where} needs the key `{field.name}`", hint=f"{field.name}: {field.doc}")

    def default(self, field: Field, path: Path, owner: str) -> Any:
        """The default of a field, its origin noted; a section's default is the section with all of its defaults."""
        self.origins[path] = f"default of {owner}" if owner else "default"
        section = section_in(field.hint)
        if section is not None and isinstance(field.default, section):
            for name in fields_of(section):
                self.origins[*path, name] = self.origins[path]
        return field.default

    def value(self, field: Field, node: Node, path: Path, at: Node) -> Any:
        """One value by its type: a section, a mapping or list of sections, or a plain value."""
        section, named = section_in(field.hint), sections_under(field.hint, dict)
        several, leaf = sections_under(field.hint, list), leaves(field.hint)
        if named and isinstance(node, Mapping):
            self.origins[path] = node.origin
            return self.named(named, node, path, field)
        if several and not (isinstance(node, Scalar) and leaf):
            self.origins[path] = node.origin
            items = node.items if isinstance(node, Sequence) else [node]
            return self.all_of([self.section(several, item, (*path, index), item) for index, item in enumerate(items)])
        if section and not (isinstance(node, Scalar) and (leaf or node.value is None)):
            return self.section(section, node, path, at)
        if leaf or (isinstance(node, Scalar) and node.value is None and type(None) in members(field.hint)):
            return self.plain_value(field, node, path)
        expected = describe(field.hint)
        self.problem(node, path, f"`{dotted(path)}`: expected {expected}, not {found(node)}", hint=field.doc)
        return FAILED

    def named(self, section: type, node: Mapping, path: Path, field: Field) -> Any:
        """A mapping from names, which the user chooses, to sections."""
        if not node.items and dict(field.bounds).get("min_length"):
            self.problem(node, path, f"`{dotted(path)}` is empty", hint=field.doc)
        pattern = dict(field.bounds).get("pattern", ".*")
        built = {}
        for key, value in node.pairs():
            here = (*path, key.text)
            if not re.fullmatch(pattern, key.text):
                self.problem(key, here, f"`{key.text}` is no name for one of `{dotted(path)}`", hint=field.doc)
            built[key.text] = self.section(section, value, here, key)
        return FAILED if any(value is FAILED for value in built.values()) else built

    def all_of(self, items: list[Any]) -> Any:
        """The items, or FAILED if one is."""
        return FAILED if any(item is FAILED for item in items) else items

    def plain_value(self, field: Field, node: Node, path: Path) -> Any:
        """A value without sections, checked by pydantic in strict mode."""
        hint: Any = leaves(field.hint) or type(None)
        self.origins |= dict(_origins(node, path))
        try:
            return _adapter(hint, field.bounds).validate_python(as_written(node, hint))
        except ValidationError as error:
            self._explain(error, field, hint, node, path)
            return FAILED

    def _explain(self, error: ValidationError, field: Field, hint: Any, node: Node, path: Path) -> None:
        """One problem per wrong place, in our words: pydantic tells one per alternative of a union."""
        seen: set[Path] = set()
        for detail in error.errors(include_url=False, include_context=False):
            place, here, wanted = node, path, hint
            for step in detail["loc"]:
                if isinstance(place, Mapping) and step in place.items:
                    place, wanted = place.value(str(step)), _inside(wanted, dict)
                elif isinstance(place, Sequence) and isinstance(step, int) and step < len(place.items):
                    place, wanted = place.items[step], _inside(wanted, list)
                else:
                    continue
                here = (*here, step)
            if here in seen:
                continue
            seen.add(here)
            expected = describe(wanted, field.bounds, field.unit) if here == path else describe(wanted)
            suggestion = nearest(place.text, _choices(wanted)) if isinstance(place, Scalar) else None
            message = f"`{dotted(here)}`: expected {expected}, not {found(place)}"
            if detail["type"] == "string_pattern_mismatch":
                message = f"`{dotted(here)}`: {found(place)} is not of the right form"
            self.problem(place, here, message, suggestion=suggestion, hint=_trap(place, wanted) or field.doc)

    def build(self, cls: type, values: dict[str, Any], node: Node, path: Path, mapping: Mapping) -> Any:
        """The instance, unless a value failed or its own `__post_init__` refuses the combination with a ValueError.

        The refusal is shown at the first key that it names in backticks, if the mapping says that key.
        """
        if any(value is FAILED for value in values.values()):
            return FAILED
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return cls(**values)
        except ValueError as error:
            named = [name for name in re.findall("`([^`]+)`", str(error)) if name in mapping and name in fields_of(cls)]
            place = mapping.key(named[0]) if named else node
            self.problem(place, path, f"`{dotted(path)}`: {error}")
            return FAILED
        except (Exception, SystemExit) as error:
            told = f"`{dotted(path)}`: the plugin's own check broke: {type(error).__name__}: {error}"
            self.problem(node, path, told, exit_code=ExitCode.PLUGIN)
            return FAILED


def under(key: str, node: Node) -> Mapping:
    """`{key: node}`, at the node's place: the full form of a short one."""
    source, line, column = node.source, node.line, node.column
    named = Scalar(source=source, line=line, column=column, length=node.length, text=key, value=key)
    return Mapping(source=source, line=line, column=column, length=node.length, items={key: (named, node)})


def _origins(node: Node, path: Path) -> Iterator[tuple[Path, str]]:
    """Where a plain value and everything in it came from."""
    yield path, node.origin
    if isinstance(node, Mapping):
        for key, value in node.pairs():
            yield from _origins(value, (*path, key.text))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _origins(item, (*path, index))


def as_written(node: Node, hint: Any) -> Any:
    """The node as a Python value; where a text is wanted, a plain scalar is taken letter by letter.

    So the classes `[no, 010, 1.0]` are the texts "no", "010" and "1.0", whatever YAML makes of them elsewhere.
    """
    if isinstance(node, Sequence):
        return [as_written(item, _inside(hint, list)) for item in node.items]
    if isinstance(node, Mapping):
        return {key.text: as_written(value, _inside(hint, dict)) for key, value in node.pairs()}
    wanted = members(hint)
    other: tuple[type, ...] = (bool,) if isinstance(node.value, bool) else (int, float)
    if str in wanted and node.value is not None and not any(kind in wanted for kind in other):
        return node.text
    return plain(node)


def _inside(hint: Any, container: type) -> Any:
    """The element type of the alternative that is a list or a dict; Any where there is none."""
    for member in members(hint):
        if get_origin(member) is container:
            return get_args(member)[-1]
    return Any


def _choices(hint: Any) -> list[str]:
    """The words of the `Literal` alternatives."""
    return [word for member in members(hint) for word in get_args(member) if isinstance(word, str)]


def _trap(node: Node, hint: Any) -> str:
    """Advice for a word that YAML 1.1 took for a boolean, and for a number in the wrong clothes."""
    wanted = members(hint)
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    if (int in wanted or float in wanted) and (meant := _number_in(node.text, float in wanted)):
        if meant == node.text:
            return "" if node.plain else f"write {meant}, without quotes"
        return f"write {meant}"
    if bool not in wanted:
        return ""
    truth = {"no": "false", "off": "false", "n": "false", "yes": "true", "on": "true", "y": "true"}
    meant = truth.get(node.text.lower(), "")
    return f"`{node.text}` is a text in YAML 1.2; write {meant}" if meant else ""


def _number_in(text: str, fractions: bool) -> str:
    """The number that a text was meant to be, as it should be written: `1_000`, `32.0` and `1e3` for whole numbers."""
    try:
        number = float(text.strip().removesuffix("%").replace("_", "").replace(",", "."))
    except ValueError:
        return ""
    number /= 100 if text.strip().endswith("%") else 1
    if number != number or abs(number) > 1e15:
        return ""
    return str(int(number)) if number == int(number) else str(number) if fractions else ""


@cache
def _adapter(hint: Any, bounds: tuple[tuple[str, Any], ...]) -> TypeAdapter[Any]:
    """Pydantic's validator of a hint; bounds go to the alternatives that they can measure."""
    strict = ConfigDict(strict=True, allow_inf_nan=False, regex_engine="python-re")
    bounded = tuple(_bounded(member, dict(bounds)) for member in members(hint))
    wanted: Any = Union[bounded]  # noqa: UP007  # built from a tuple
    return TypeAdapter(wanted, config=strict)


def _bounded(member: Any, bounds: dict[str, Any]) -> Any:
    if get_origin(member) is Literal:
        # Python takes True and 1.0 for 1, and pydantic with it.
        exact = {type(argument) for argument in get_args(member)}
        return Annotated[member, BeforeValidator(lambda value: value if type(value) in exact else _NO_CHOICE)]
    measures: tuple[str, ...] = ()
    if member in (int, float):
        measures = ("ge", "gt", "le", "lt")
    elif member is str:
        measures = ("pattern", "min_length")
    elif get_origin(member) in (list, dict):
        measures = ("min_length",)
    kept: dict[str, Any] = {name: bounds[name] for name in measures if name in bounds}
    if "pattern" in kept:
        # Not `$`, which Python lets stand before a last line break; not `\Z`, which editors do not know.
        kept["pattern"] = rf"^(?:{kept['pattern']})(?![\s\S])"
    return Annotated[member, Constraint(**kept)] if kept else member


def json_schema(field: Field) -> dict[str, Any]:
    """JSON Schema of the plain values that a field takes, with its doc and default."""
    hint: Any = leaves(field.hint) or type(None)
    return _adapter(hint, field.bounds).json_schema()
