"""The JSON Schema takes every valid spec, and refuses what a schema can refuse."""

import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tests.command import run
from tests.spec.strategies import Data, specs, unhurried
from tests.spec.test_render import GOLDEN
from tests.spec.wrong import components, gaps, keys, values
from tests.spec.wrong.case import GOOD, Wrong, changed
from zoo.component import Kind
from zoo.document.fields import fields_of
from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.document.write import write_yaml
from zoo.registry.plugins import Loader
from zoo.registry.registry import Registry, installed
from zoo.spec.load import read_spec
from zoo.spec.render import spec_data
from zoo.spec.schema import spec_schema

BEYOND = {
    "not a number",
    "infinite",
    "heads that do not divide",
    "a class twice",
    "one class",
    "two transfers for one backbone",
    "a test table that the model learns from",
    "validation rows that the model learns from",
    "patience without validation rows",
    "a metric to choose by without validation rows",
    "a head to choose by that is not there",
    "a head that is called like the number of the row",
    "a fraction for the language",
    "column and columns",
    "categories that are no columns",
    "a policy's number twice",
    "a policy's number as a word",
    "weights that are misspelt hub reference",
    "pretrained weights of what has none",
    "a text for an image backbone",
    "a sound for an image backbone",
    "a picture for a text backbone",
    "a front end for a picture",
    "a front end into a sound backbone",
    "a share with nobody",
    "an input named like what torch's modules have of their own",
    "a share with itself",
    "a share of another modality",
    "a table for an unknown head",
    "a missing distribution",
    "a version range that is none",
    "sizes beside pretrained weights",
    "an architecture that was never pretrained",
}
"""What no schema can tell: how two values go together, what is installed, and numbers that JSON does not have."""
CASES = [*keys.CASES, *gaps.CASES, *values.CASES, *components.CASES]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema of the installed components."""
    return spec_schema(installed())


VALIDATOR = Draft202012Validator(spec_schema(installed()))


def written(text: str) -> Any:
    return plain(parse(Source(text, "spec.yaml")))


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from walk(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from walk(item)


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_it_is_small(schema: dict[str, Any]) -> None:
    assert len(json.dumps(schema, indent=1, ensure_ascii=False).encode()) < 1_000_000


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    for part in walk(schema):
        if "$ref" in part:
            name = part["$ref"].removeprefix("#/$defs/").replace("~1", "/")
            assert schema["$defs"][name], name


def test_every_mapping_with_keys_is_closed(schema: dict[str, Any]) -> None:
    for part in walk(schema):
        if part.get("type") == "object" and "properties" in part and "allOf" not in part:
            assert part["additionalProperties"] is False


@unhurried
@given(specs())
def test_a_valid_spec_is_valid(data: Data) -> None:
    read_spec(Source(write_yaml(data), "spec.yaml"))
    assert list(VALIDATOR.iter_errors(data)) == []


@unhurried
@given(specs())
def test_the_canonical_form_is_valid(data: Data) -> None:
    canonical = spec_data(read_spec(Source(write_yaml(data), "spec.yaml")))
    assert list(VALIDATOR.iter_errors(canonical)) == []


def test_the_golden_form_is_valid() -> None:
    assert list(VALIDATOR.iter_errors(written(GOLDEN.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("text", ["{dim: 64}", "{dropout: 0.1, layers: 3}", "zoo/concat", "null"])
def test_options_of_the_fusion_that_a_silent_spec_has(text: str) -> None:
    assert VALIDATOR.is_valid(written(GOOD + f"fusion: {text}\n"))


@pytest.mark.parametrize("text", ["classes: [no, 010, 1.0, true]", "column: 2024", "column: true"])
def test_what_is_taken_letter_by_letter_is_valid(text: str) -> None:
    assert VALIDATOR.is_valid(written(GOOD.replace("zoo/classifier", f"{{use: zoo/classifier, {text}}}")))


@pytest.mark.parametrize("wrong", [case for case in CASES if case.name not in BEYOND], ids=lambda wrong: wrong.name)
def test_a_wrong_spec_is_refused(wrong: Wrong) -> None:
    assert not VALIDATOR.is_valid(written(wrong.text))


@pytest.mark.parametrize("wrong", [case for case in CASES if case.name in BEYOND], ids=lambda wrong: wrong.name)
def test_what_only_zoo_can_tell(wrong: Wrong) -> None:
    """When one of these fails the schema has learnt to tell it: take its name out of `BEYOND`."""
    assert VALIDATOR.is_valid(written(wrong.text))


def test_what_is_beyond_is_in_the_table() -> None:
    assert {case.name for case in CASES} >= BEYOND


@pytest.mark.parametrize("kind", list(Kind))
def test_every_option_is_there_with_its_meaning(kind: Kind, schema: dict[str, Any]) -> None:
    forms = list(walk(schema["$defs"][kind.value]))
    for entry in installed().components(kind):
        for name, field in fields_of(entry.component.options).items():
            told = [form["properties"][name] for form in forms if name in form.get("properties", {})]
            assert field.doc
            assert field.doc in {form.get("description") for form in told}, (entry.name, name)


def test_one_wrong_key_is_one_error_at_its_mapping() -> None:
    (error,) = VALIDATOR.iter_errors(written(changed("timm/resnet50", "{use: timm/resnet50, drop_pth_rate: 0.1}")))
    assert list(error.path) == ["inputs", "photo", "backbone"]
    assert "'drop_pth_rate' was unexpected" in error.message


def test_without_any_component_of_a_kind_it_is_still_a_schema() -> None:
    registry = Registry(Loader([EntryPoint("torchaudio", "zoo_torchaudio", "zoo")]))
    Draft202012Validator.check_schema(spec_schema(registry))


def test_every_name_is_there(schema: dict[str, Any]) -> None:
    text = json.dumps(schema, ensure_ascii=False)
    missing = [name for name in installed().names() if f'"{name}"' not in text]
    assert missing == []


def test_the_verb_prints_it(schema: dict[str, Any], tmp_path: Any) -> None:
    result = run("spec", "schema")
    assert json.loads(result.stdout) == schema
    assert result.stderr == ""
    assert run("spec", "schema", "-o", tmp_path / "zoo.schema.json").stdout == ""
    assert (tmp_path / "zoo.schema.json").read_text() == result.stdout
