import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from zoo import Component, Kind, Registry
from zoo.contract import BackboneContext, Frontend, FrontendContext, HeadContext, InputContext, InputType, ValueSpec
from zoo.data.fit import fit
from zoo.data.parquet_files import read_parquet_column
from zoo.document.source import Source
from zoo.errors import PluginError, UsageError
from zoo.spec.load import read_spec
from zoo.spec.sections import Spec

SPEC = """\
inputs:
  title: {type: local/words, backbone: local/vocabulary}
  body: {type: local/words, backbone: {same_as: title}, frontend: local/reversed}
fusion: zoo/concat
heads: {mood: {use: local/tags, column: label}}
data: {train: train.jsonl, validation: 0.5}
"""
PHOTOS = """\
inputs: {photo: {type: image, backbone: {use: timm/resnet18, weights: none}}}
heads: {label: zoo/classifier}
data: {train: t.parquet, validation: null}
"""
ROWS: list[dict[str, Any]] = [
    {"title": "a b", "body": "c", "label": "x"},
    {"title": None, "body": "d e", "label": None},
    {"title": "f", "body": None, "label": "y"},
    {"title": "g", "body": "h", "label": "z"},
]


class Words(InputType):
    """Texts, split at spaces, with the separator that `fit` learnt."""

    def __init__(self, context: InputContext) -> None:
        self.mark = context.fitted["mark"]
        self.value = ValueSpec(modality="text")

    def decode(self, cell: Any, folder: Path) -> list[str]:
        if not isinstance(cell, str):
            raise ValueError(f"{cell!r} is no text")
        return [self.mark + word for word in cell.split()]


class Reversed(Frontend):
    value = ValueSpec(modality="text", max_length=7)

    def __call__(self, value: list[str]) -> list[str]:
        return value[::-1]


def build_words(options: None, context: InputContext) -> Words:
    return Words(context)


def fit_words(options: None, context: InputContext, cells: Iterator[Any]) -> dict[str, Any]:
    return {"mark": "-", "name": context.name, "cells": list(cells)}


def build_reversed(options: None, context: FrontendContext) -> Reversed:
    return Reversed()


def fit_vocabulary(options: None, context: BackboneContext, values: Iterator[Any]) -> dict[str, Any]:
    return {"words": list(values), "length": context.value.max_length, "name": context.name}


def fit_tags(options: None, context: HeadContext, cells: Iterator[Any]) -> dict[str, Any]:
    found = []
    for cell in cells:
        if cell == "bad":
            raise ValueError("`bad` is no tag")
        found.append(cell)
    if not found:
        raise ValueError("there are no tags")
    if "crash" in found:
        raise KeyError("crash")
    return {"tags": found, "columns": list(context.columns)}


def no_build(options: None, context: Any) -> Any:
    raise AssertionError("learning builds no network")


HERE = "tests.data.test_fit"
TEXT = ("text",)
PARTS = [
    Component(Kind.INPUT, "words", f"{HERE}:build_words", modality=TEXT, fit=f"{HERE}:fit_words"),
    Component(Kind.FRONTEND, "reversed", f"{HERE}:build_reversed", modality=("text", "text")),
    Component(
        Kind.BACKBONE,
        "vocabulary",
        f"{HERE}:no_build",
        modality=TEXT,
        provides=frozenset({"tokens", "pooled"}),
        fit=f"{HERE}:fit_vocabulary",
    ),
    Component(Kind.HEAD, "tags", f"{HERE}:no_build", fit=f"{HERE}:fit_tags"),
    Component(Kind.HEAD, "gone", f"{HERE}:no_build", fit=f"{HERE}:nowhere"),
]


def spec(folder: Path, rows: list[dict[str, Any]], text: str = SPEC) -> Spec:
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_spec(Source(text, "spec.yaml", folder), registry=Registry(unpackaged=PARTS))


def whole(text: str = SPEC) -> str:
    return text.replace("0.5", "null")


def test_every_part_learns_from_its_own_cells(tmp_path: Path) -> None:
    found = fit(spec(tmp_path, ROWS, whole()))
    labelled = [row for row in ROWS if row["label"]]
    assert found["inputs"]["title"] == {"mark": "-", "name": "title", "cells": ["a b", "f", "g"]}
    assert found["inputs"]["body"]["cells"] == [row["body"] for row in labelled if row["body"]]
    assert found["heads"] == {"mood": {"tags": ["x", "y", "z"], "columns": ["label"]}}


def test_a_backbone_learns_from_the_values_of_all_inputs_that_share_it(tmp_path: Path) -> None:
    found = fit(spec(tmp_path, ROWS, whole()))["backbones"]
    assert set(found) == {"title"}
    assert found["title"]["words"] == [["-a", "-b"], ["-f"], ["-g"], ["-c"], ["-h"]]
    assert found["title"]["name"] == "vocabulary"


def test_the_context_tells_the_values_after_the_front_end(tmp_path: Path) -> None:
    text = whole().replace("backbone: local/vocabulary", "backbone: local/vocabulary, frontend: local/reversed")
    found = fit(spec(tmp_path, ROWS, text))["backbones"]["title"]
    assert found["length"] == 7
    assert found["words"][0] == ["-b", "-a"]


def test_what_is_set_aside_is_not_learnt_from(tmp_path: Path) -> None:
    rows = [{"title": str(row), "body": "b", "label": "x"} for row in range(10)]
    assert len(fit(spec(tmp_path, rows))["inputs"]["title"]["cells"]) == 5


def test_without_data_nothing_is_learnt(tmp_path: Path) -> None:
    text = SPEC.replace("data: {train: train.jsonl, validation: 0.5}\n", "")
    assert fit(spec(tmp_path, ROWS, text)) == {"inputs": {}, "backbones": {}, "heads": {}}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"label": "bad"}, "`heads.mood`: `{file}`, line 5, column `label`: `bad` is no tag"),
        ({"title": None, "body": 3}, "column `body`"),
    ],
)
def test_what_is_wrong_is_told_with_part_and_place(row: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        fit(spec(tmp_path, [*ROWS, {"title": "t", "body": "b", "label": "x"} | row], whole()))
    assert told.format(file=tmp_path / "train.jsonl") in str(caught.value)


def test_what_no_cell_is_to_blame_for_is_told_with_the_part_alone(tmp_path: Path) -> None:
    text = whole().replace("label}}", "label}, other: zoo/classifier}")
    rows = [{"title": "t", "body": "b", "label": None, "other": each} for each in ("u", "v")]
    with pytest.raises(UsageError) as caught:
        fit(spec(tmp_path, rows, text))
    assert str(caught.value) == "`heads.mood`: there are no tags"


def test_a_part_that_breaks_is_named(tmp_path: Path) -> None:
    rows = [{"title": "t", "body": "b", "label": "crash"}]
    with pytest.raises(
        PluginError, match=r"`heads.mood`: `local/tags` fails to learn from the data: KeyError: 'crash'"
    ):
        fit(spec(tmp_path, rows, whole()))


def test_a_target_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"`local/gone` .*test_fit:nowhere"):
        fit(spec(tmp_path, ROWS, whole().replace("local/tags", "local/gone")))


def test_columns_that_nobody_learns_from_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"photo": b"no picture", "label": each} for each in "abab"]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    read: list[str] = []

    def reader(paths: Sequence[Path], name: str) -> pa.ChunkedArray:
        read.append(name)
        return read_parquet_column(paths, name)

    monkeypatch.setattr("zoo.data.stored.read_parquet_column", reader)
    found = fit(read_spec(Source(PHOTOS, "spec.yaml", tmp_path)))
    assert found["heads"]["label"]["classes"] == ["a", "b"]
    assert read == ["label"]
