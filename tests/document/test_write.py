"""What `write_yaml` writes is read back as the same data, by zoo and, the texts too, by any YAML 1.1 reader."""

from typing import Any

import yaml
from hypothesis import example, given

from tests.document.data import data, dicts, nested, scalars, unhurried
from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.document.write import lines_of, write_yaml


def read(text: str) -> Any:
    return plain(parse(Source(text, "data.yaml").checked()))


@unhurried
@given(data)
@example([{"no": None}])
@example([[], [[]], {}, [{}]])
@example({"": {"": [{"a": [[1, "2"], {"b": {}}]}]}})
def test_data_comes_back(value: Any) -> None:
    text = write_yaml(value)
    assert repr(read(text)) == repr(value)  # repr tells 1 from 1.0 and True, and 0.0 from -0.0


@unhurried
@given(data)
@example({"no": ["yes", "012", "12:30", "1_000", "2001-12-14", "=", 1e-7, 1e300]})
def test_a_yaml_1_1_reader_sees_the_same(value: Any) -> None:
    assert repr(yaml.safe_load(write_yaml(value))) == repr(value)


@unhurried
@given(data)
def test_writing_is_stable(value: Any) -> None:
    text = write_yaml(value)
    assert write_yaml(read(text)) == text


@unhurried
@given(data)
def test_the_only_line_breaks_are_line_feeds(value: Any) -> None:
    text = write_yaml(value)
    assert text.splitlines(keepends=True) == [line + "\n" for line in text.split("\n")[:-1]]


@unhurried
@given(dicts(nested(scalars)))
def test_every_line_tells_the_path_of_its_leaf(value: dict[str, Any]) -> None:
    for text, path in lines_of(value):
        found: Any = value
        for step in path:
            found = found[step]
        if path:
            assert text.endswith(write_yaml(found).removesuffix("\n"))
        else:
            assert text.endswith(":")
