"""YAML 1.2 core rules for plain scalars, in both directions. PyYAML alone reads `no` as False and `3e-4` as a text."""

import re
from typing import Any

import yaml

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)")
_NAN = re.compile(r"\.nan|\.NaN|\.NAN")
MAX_DIGITS = 400


def resolve(text: str) -> Any:
    """The value of a plain scalar by YAML 1.2's core schema (section 10.3.2).

    Raises:
        ValueError: A number of more than 400 characters.
    """
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if len(text) > MAX_DIGITS and any(number.fullmatch(text) for number in (_FLOAT, _OCTAL, _HEX)):
        raise ValueError(f"a number of {len(text)} characters")
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float("-inf" if text[0] == "-" else "inf")
    if _NAN.fullmatch(text):
        return float("nan")
    return text


class _CarefulDumper(yaml.SafeDumper):
    """PyYAML's emitter, quoting a text that a YAML 1.2 reader or a YAML 1.1 reader would take for something else."""


for _tag, _patterns in {
    "null": [_NULL],
    "bool": [_BOOL],
    "int": [_INT, _OCTAL, _HEX],
    "float": [_FLOAT, _INFINITE, _NAN],
}.items():
    for _pattern in _patterns:
        anchored = re.compile(f"^(?:{_pattern.pattern})$")
        _CarefulDumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", anchored, None)


def _write_number(value: float) -> str:
    """Python's shortest form; an exponent gets the point that YAML 1.1 readers want: `1.0e-05`."""
    mantissa, exponent, power = repr(value).partition("e")
    if exponent and "." not in mantissa:
        mantissa += ".0"
    return (mantissa + exponent + power).replace("inf", ".inf").replace("nan", ".nan")


def write(value: Any) -> str:
    """A scalar as one line of YAML that `resolve` or a quoted scalar gives back exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return _write_number(value)
    style = (
        '"' if any(not character.isprintable() or character in "\ufeff\u2028\u2029" for character in value) else None
    )
    text = yaml.dump(value, Dumper=_CarefulDumper, width=float("inf"), allow_unicode=True, default_style=style)
    return text.removesuffix("...\n").rstrip("\n")
