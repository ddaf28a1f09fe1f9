"""`zoo check` against local files: what is there, and the columns of a table's header; nothing else is read."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from zoo.errors import Problem, SpecError, UsageError
from zoo.spec.headers import header
from zoo.spec.load import check_spec, load_spec

SPEC = """\
inputs:
  photo: {type: image, backbone: timm/resnet50, column: picture}
  price: {type: vector, backbone: zoo/mlp, columns: [amount, weight]}
heads:
  mood: zoo/classifier
  stars: {use: zoo/regressor, columns: [taste, looks]}
data: {train: train.csv}
"""
COLUMNS = ["picture", "amount", "weight", "mood", "taste", "looks"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table of all the columns that the spec reads."""
    (tmp_path / "train.csv").write_text(",".join(COLUMNS) + "\n")
    return tmp_path


def problems(folder: Path, text: str = SPEC) -> tuple[Problem, ...]:
    (folder / "spec.yaml").write_text(text)
    load_spec(folder / "spec.yaml")  # the spec itself is right
    try:
        check_spec(folder / "spec.yaml")
    except SpecError as error:
        return error.problems
    return ()


def told(folder: Path, text: str = SPEC) -> list[tuple[str, int, str | None]]:
    return [(problem.path, problem.line, problem.suggestion) for problem in problems(folder, text)]


def test_all_is_there(folder: Path) -> None:
    assert problems(folder) == ()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"\n\n", "it is empty"),
        ("a.csv", "größe,b\n".encode("latin-1"), "its header is not UTF-8"),
        ("a.csv", "a,b\n".encode("utf-16"), "its header is not UTF-8"),
        ("a.csv", b"a,b,a\n", "has two columns `a`"),
        ("a.csv", b"a;b\n1;2\n", "its columns are separated by semicolons; save it with commas"),
        ("a.csv", b"a\tb\n1\t2\n", "its columns are separated by tabs; save it with commas"),
        ("a.csv.gz", b"\x1f\x8b", "is no table that zoo reads"),
        ("a.xlsx", b"PK", "is no table that zoo reads"),
        ("a", b"a,b\n", "is no table that zoo reads"),
        ("a.csv", b"x" * 3_000_000, "cannot be read as .csv"),
        ("a.jsonl", b"", "it is empty"),
        ("a.jsonl", b"[1, 2]\n", "its line 1 is not a JSON object"),
        ("a.jsonl", b"a,b\n", "its line 1 is not a JSON object"),
        ("a.jsonl", b'{"a": 1}\nnull\n', "its line 2 is not a JSON object"),
        ("a.jsonl", b"[" * 200_000 + b"\n", "cannot be read as .jsonl"),
        ("a.parquet", b"", "cannot be read as .parquet"),
        ("a.parquet", b"PAR1 no PAR1", "cannot be read as .parquet"),
        ("a.parquet", b"a,b\n1,2\n", "cannot be read as .parquet"),
    ],
)
def test_a_table_that_cannot_be_read(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        header(tmp_path / name)
    assert words in str(caught.value)
    (problem,) = problems(tmp_path, SPEC.replace("train.csv", name))
    assert (problem.path, problem.line, problem.column) == ("data.train[0].path", 7, 15)
    assert words in problem.message


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_told_where_it_is_named(column: str, folder: Path) -> None:
    (folder / "train.csv").write_text(",".join(name for name in COLUMNS if name != column) + "\n")
    places = {
        "picture": ("inputs.photo.column", 2),
        "amount": ("inputs.price.columns[0]", 3),
        "weight": ("inputs.price.columns[1]", 3),
        "mood": ("heads.mood.column", 5),
        "taste": ("heads.stars.columns[0]", 6),
        "looks": ("heads.stars.columns[1]", 6),
    }
    assert [(path, line) for path, line, _ in told(folder)] == [places[column]]


def test_a_missing_column_is_told_with_the_nearest_and_the_others(folder: Path) -> None:
    (folder / "train.csv").write_text("pictures,amount,weight,mood,taste,looks\n")
    (problem,) = problems(folder)
    assert problem.message == "`inputs.photo.column`: `train.csv` has no column `picture`"
    assert problem.suggestion == "pictures"
    assert problem.hint == "its columns: pictures, amount, weight, mood, taste, looks"
    assert (problem.line, problem.column, problem.length) == (2, 57, 7)


def test_all_missing_columns_at_once(folder: Path) -> None:
    (folder / "train.csv").write_text("id\n")
    assert len(problems(folder)) == 6


def test_a_column_that_is_the_inputs_own_name(folder: Path) -> None:
    text = SPEC.replace(", column: picture", "")
    assert told(folder, text) == [("inputs.photo.column", 2, None)]


@pytest.mark.parametrize("name", ["none.csv", "none", "../none.parquet", "x" * 300 + ".csv", "train.csv/a.csv", "a\0b"])
def test_a_table_that_is_not_there(name: str, folder: Path) -> None:
    (problem,) = problems(folder, SPEC.replace("train.csv", json.dumps(name)))
    assert problem.path == "data.train[0].path"
    assert "no such file or folder" in problem.message
    assert problem.hint == f"paths start at the spec's folder, {folder.resolve()}"


@pytest.mark.parametrize("name", ["https://acme.com/train.csv", "s3://acme/train.parquet"])
def test_an_address_is_no_local_file(name: str, folder: Path) -> None:
    (problem,) = problems(folder, SPEC.replace("train.csv", f"'{name}'"))
    assert f"`{name}` is an address; name a local file" in problem.message


@pytest.mark.parametrize("name", ["hf://acme/train", "hf://datasets/acme", "hf://datasets/acme/train@", "hf:/datasets"])
def test_a_wrong_name_of_a_data_set(name: str, folder: Path) -> None:
    (problem,) = problems(folder, SPEC.replace("train.csv", f"'{name}'"))
    assert f"`{name}` is no data set of the Hub; write hf://datasets/owner/name@revision#split" in problem.message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_table_in_a_closed_folder(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0)
    (problem,) = problems(folder, SPEC.replace("train.csv", "closed/a.csv"))
    assert "no such file or folder" in problem.message


def test_paths_start_at_the_specs_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert problems(folder) == ()
    (folder / "spec.yaml").write_text(SPEC)
    assert run("check", "../spec.yaml").exit_code == 0


def test_every_table_is_looked_at(folder: Path) -> None:
    text = SPEC.replace(
        "{train: train.csv}", "{train: [train.csv, b.csv, {path: c.csv}], validation: d.csv, test: e.csv}"
    )
    assert [path for path, _, _ in told(folder, text)] == [
        "data.train[1].path",
        "data.train[2].path",
        "data.validation",
        "data.test",
    ]


def test_a_table_needs_the_columns_of_its_own_heads_alone(folder: Path) -> None:
    (folder / "mood.csv").write_text("picture,amount,weight,mood\n")
    text = SPEC.replace("{train: train.csv}", "{train: [train.csv, {path: mood.csv, heads: [mood]}]}")
    assert problems(folder, text) == ()
    assert len(problems(folder, text.replace(", heads: [mood]", ""))) == 2


def test_groups_are_a_column_of_the_training_tables(folder: Path) -> None:
    (folder / "test.csv").write_text((folder / "train.csv").read_text())
    text = SPEC.replace("train.csv}", "train.csv, test: test.csv}") + "evaluate: {groups: mod}\n"
    assert told(folder, text) == [("evaluate.groups", 8, "mood")]


@pytest.mark.parametrize(
    ("weights", "wrong"), [("none", False), ("pretrained", False), ("hf://a/b", False), ("w", True)]
)
def test_weights(weights: str, wrong: bool, folder: Path) -> None:
    text = SPEC.replace("timm/resnet50", f"{{use: timm/resnet50, weights: '{weights}'}}")
    assert [path for path, _, _ in told(folder, text)] == ["inputs.photo.backbone.weights"] * wrong


@pytest.mark.parametrize("weights", ["runs/a", "runs/a#photo", "runs/a/model.safetensors", "./runs/a"])
def test_weights_that_are_there(weights: str, folder: Path) -> None:
    (folder / "runs" / "a").mkdir(parents=True)
    (folder / "runs" / "a" / "model.safetensors").touch()
    assert problems(folder, SPEC.replace("timm/resnet50", f"{{use: timm/resnet50, weights: '{weights}'}}")) == ()


@pytest.mark.parametrize(("weights", "meant"), [("pretraind", "pretrained"), ("runs/b#photo", None)])
def test_weights_that_are_not_there(weights: str, meant: str | None, folder: Path) -> None:
    (problem,) = problems(folder, SPEC.replace("timm/resnet50", f"{{use: timm/resnet50, weights: '{weights}'}}"))
    assert f"`{weights.partition('#')[0]}`: no such file or folder" in problem.message
    assert problem.suggestion == meant


def test_a_place_that_the_command_line_named(folder: Path) -> None:
    (folder / "spec.yaml").write_text(SPEC)
    result = run("check", folder / "spec.yaml", "--set", "data.train=none.csv", "--json")
    (error,) = json.loads(result.stdout)["errors"]
    assert (result.exit_code, error["file"], error["path"]) == (2, "--set", "data.train[0].path")


def test_files_are_looked_at_in_a_wrong_spec_too(folder: Path) -> None:
    (folder / "spec.yaml").write_text(SPEC.replace("train.csv", "none.csv") + "triner: {}\n")
    with pytest.raises(SpecError) as caught:
        check_spec(folder / "spec.yaml")
    assert [problem.path for problem in caught.value.problems] == ["data.train[0].path", "triner"]


def test_no_header_is_read_to_load_a_spec(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("zoo.spec.sources.header", refuse)
    (folder / "spec.yaml").write_text(SPEC)
    assert load_spec(folder / "spec.yaml").data.train[0].path == "train.csv"


def refusal(folder: Path, data: str) -> str:
    (folder / "spec.yaml").write_text(SPEC.replace("train: train.csv", data))
    with pytest.raises(SpecError) as caught:
        load_spec(folder / "spec.yaml")
    (found,) = caught.value.problems
    return found.message


def test_a_table_to_measure_on_is_no_other_however_it_is_named(folder: Path) -> None:
    (folder / "link.csv").symlink_to("train.csv")
    for name in ("./train.csv", str(folder / "train.csv"), "link.csv", f"../{folder.name}/train.csv"):
        for key in ("test", "validation"):
            told = refusal(folder, f"train: train.csv, {key}: {name}")
            assert told.startswith(f"`data.{key}`: the model learns from `{name}`")


def test_the_table_that_chooses_the_epoch_is_not_the_test_table(folder: Path) -> None:
    told = refusal(folder, "train: train.csv, validation: b.csv, test: ./b.csv")
    assert told.startswith("`data.test`: the model learns from `./b.csv`")
