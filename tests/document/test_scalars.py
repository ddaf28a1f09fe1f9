"""Plain scalars by YAML 1.2.2, section 10.3.2 (core schema), and what YAML 1.1 made of them."""

import math
from typing import Any

import pytest
import yaml

from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.scalars import resolve, write
from zoo.document.source import Source
from zoo.errors import SpecError

INFINITE = math.inf
NULLS = ("null", "Null", "NULL", "~", "")
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGERS = {
    "0": 0,
    "-0": 0,
    "+12": 12,
    "-19": -19,
    "007": 7,
    "012": 12,
    "0777": 777,
    "0o7": 7,
    "0o14": 12,
    "0x3A": 58,
    "0x1F": 31,
    "0xff": 255,
    "9223372036854775808": 2**63,
}
FLOATS = {
    "0.": 0.0,
    "5.": 5.0,
    ".5": 0.5,
    "+.5": 0.5,
    "-.5e-1": -0.05,
    "1e3": 1000.0,
    "3e-4": 0.0003,
    "3E-4": 0.0003,
    "+12e03": 12000.0,
    "-2E+05": -200000.0,
    "5.e3": 5000.0,
    "010.5": 10.5,
    "1e999": INFINITE,
    ".inf": INFINITE,
    "-.Inf": -INFINITE,
    "+.INF": INFINITE,
}
TEXTS = """
no yes on off y n No YES Off nULL tRUE TrUe nil none None
1_000 0b11 0o8 0o 0x 0xG 0X1F 0O7 -0x1F +0o7 1__0
12:30 1:00 190:20:30 190:20:30.15
1e 1e+ e3 .e3 . .. - + -- +-1 1.2.3 1,000 ..5 --1
.iNf inf -inf Infinity nan NaN +.nan -.NaN .Nan
2001-12-14 2001-12-14T21:59:43.10-05:00 = << v1.0 ١٢ 1٢
""".split()  # noqa: SIM905  # fifty words


@pytest.mark.parametrize("text", NULLS)
def test_null(text: str) -> None:
    assert resolve(text) is None


@pytest.mark.parametrize(("text", "value"), BOOLEANS.items())
def test_boolean(text: str, value: bool) -> None:
    assert resolve(text) is value


@pytest.mark.parametrize(("text", "value"), INTEGERS.items())
def test_integer(text: str, value: int) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is int


@pytest.mark.parametrize(("text", "value"), FLOATS.items())
def test_float(text: str, value: float) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is float


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    assert math.isnan(resolve(text))


@pytest.mark.parametrize("text", TEXTS)
def test_everything_else_is_a_text(text: str) -> None:
    assert resolve(text) == text


def test_example_10_9_of_the_specification() -> None:
    text = """\
A null: null
Booleans: [ true, True, false, FALSE ]
Integers: [ 0, 0o7, 0x3A, -19 ]
Floats: [
  0., -0.0, .5, +12e03, -2E+05 ]
Also floats: [
  .inf, -.Inf, +.INF ]
"""
    assert plain(parse(Source(text, "example"))) == {
        "A null": None,
        "Booleans": [True, True, False, False],
        "Integers": [0, 7, 58, -19],
        "Floats": [0.0, -0.0, 0.5, 12000.0, -200000.0],
        "Also floats": [INFINITE, -INFINITE, INFINITE],
    }


@pytest.mark.parametrize("text", ["no", "3e-4", "12:30", "012", "2001-12-14", "1_000", "="])
def test_pyyaml_alone_reads_it_otherwise(text: str) -> None:
    """These are why zoo resolves scalars itself; if PyYAML changes its mind, `scalars` can go."""
    read: Any
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        read = None
    assert read != resolve(text) or type(read) is not type(resolve(text))


@pytest.mark.parametrize("text", ["012", "no", "null", "3e-4", "", "~", "0x1F"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_quoted_scalar_is_a_text(text: str, quote: str) -> None:
    assert plain(parse(Source(f"a: {quote}{text}{quote}", "example"))) == {"a": text}


@pytest.mark.parametrize("text", ["9" * 401, "1." + "0" * 400, "0x" + "f" * 5000, "0o" + "7" * 5000, "-" + "1" * 400])
def test_a_giant_number_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(Source(f"a:\n  b: {text}", "example"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 6)
    assert f"a number of {len(text)} characters" in problem.message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        (1e-05, "1.0e-05"),
        (1e22, "1.0e+22"),
        (-INFINITE, "-.inf"),
        (math.nan, ".nan"),
        ("good", "good"),
        ("no", "'no'"),
        ("12:30", "'12:30'"),
        ("0o14", "'0o14'"),
        ("3e-4", "'3e-4'"),
        ("", "''"),
        ("a\nb", '"a\\nb"'),
        ("日本", "日本"),
    ],
)
def test_written_scalar(value: Any, text: str) -> None:
    assert write(value) == text
