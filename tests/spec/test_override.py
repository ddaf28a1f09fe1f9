"""`--set path=value`: every form, short forms written out on the way, and what is wrong told."""

from typing import Any

import pytest

from tests.command import run
from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.errors import SpecError, UsageError
from zoo.spec.load import read_spec
from zoo.spec.override import override
from zoo.spec.render import spec_data, spec_origins
from zoo.spec.sections import Spec

SPEC = """\
name: file
inputs:
  photo: {type: image, backbone: timm/resnet50}
  review: {type: text, backbone: {use: transformers/bert, config: {hidden_size: 64}}}
heads:
  mood: {use: zoo/classifier, classes: [a, b, c]}
  stars: zoo/regressor
data: {train: a.csv}
train: {epochs: 7}
"""
TABLES = SPEC.replace("train: a.csv", "train: [a.csv, {path: b.csv, weight: 2}]")


def load(*changes: str, text: str = SPEC) -> Spec:
    return read_spec(Source(text, "spec.yaml"), overrides=changes)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("train.epochs=3", 3),
        (" train.epochs =3", 3),
        ("train.seed=5", 5),
        ("train.learning_rate=3e-4", 3e-4),
        ("name=no", "no"),
        ("name=010", "010"),
        ("hub.repo=a/b", "a/b"),
        ("hub.repo=null", None),
        ("hub.repo=", None),
        ("data.test=a=b.csv", "a=b.csv"),
        ("data.validation=val.csv", "val.csv"),
        ("heads.mood.classes=[no, yes]", ["no", "yes"]),
        ("heads.mood.classes.1=x", "x"),
        ("heads.mood.classes[1]=x", "x"),
        ("heads.stars.columns=[x, y]", ["x", "y"]),
        ("inputs.review.backbone.config.hidden_size=128", 128),
        ("inputs.photo.backbone.weights=none", "none"),
        ("inputs.photo.backbone.model.a.b=1", 1),
        ("inputs.photo.transfer.layer_decay=0.5", 0.5),
        ("fusion.dim=64", 64),
        ("transfer.layer_decay=0.5", 0.5),
        ("data.train.0.weight=3", 3),
        ("data.train[0].weight=3", 3),
        ("data.train[0].path=b.csv", "b.csv"),
        ("zoo=1", 1),
    ],
)
def test_a_value_is_set(change: str, value: Any) -> None:
    told: Any = spec_data(load(change))
    path = change.partition("=")[0].strip().replace("[", ".").replace("]", "")
    for step in path.split("."):
        told = told[int(step) if isinstance(told, list) else step]
    assert told == value
    assert type(told) is type(value) or isinstance(told, float)


@pytest.mark.parametrize(
    ("changes", "path", "kept"),
    [
        (["inputs.photo.backbone.weights=none"], ("inputs", "photo", "backbone", "use"), "timm/resnet50"),
        (["heads.stars.weight=2"], ("heads", "stars", "use"), "zoo/regressor"),
        (["data.train.0.weight=3"], ("data", "train", 0, "path"), "a.csv"),
        (["transfer=last:2", "transfer.l2_sp=1"], ("transfer", "groups"), 2),
        (["fusion=zoo/concat", "fusion.dropout=0.3"], ("fusion", "use"), "zoo/concat"),
        (["inputs.photo.frontend=null"], ("inputs", "photo", "frontend"), None),
    ],
)
def test_a_short_form_on_the_way_is_written_out(changes: list[str], path: tuple[str | int, ...], kept: Any) -> None:
    told: Any = spec_data(load(*changes))
    for step in path:
        told = told[step]
    assert told == kept


def test_a_table_is_named_on_the_command_line_alone() -> None:
    spec = load("data.train.0.path=a.csv", text=SPEC.replace("data: {train: a.csv}\n", ""))
    assert [table.path for table in spec.data.train] == ["a.csv"]


def test_one_table_of_several() -> None:
    spec = load("data.train.1.weight=4", "data.train[0].path=c.csv", text=TABLES)
    assert [(table.path, table.weight) for table in spec.data.train] == [("c.csv", 1), ("b.csv", 4)]


def test_a_whole_section_is_replaced() -> None:
    assert load("train={seed: 3}").train.epochs == 5


def test_the_last_of_two_wins() -> None:
    assert load("train.epochs=3", "train.epochs=4").train.epochs == 4


def test_the_text_itself_is_not_changed() -> None:
    root = parse(Source(SPEC, "spec.yaml"))
    before = plain(root)
    override(root, ["train.epochs=3", "heads.mood.classes.0=x", "inputs.photo.backbone.weights=none"])
    assert plain(root) == before


def test_origins() -> None:
    origins = spec_origins(load("train.epochs=3", "heads.stars.weight=2", "inputs.review.backbone.config.layers=2"))
    assert origins["train", "epochs"] == "--set"
    assert origins["train", "seed"] == "default"
    assert origins["heads", "stars", "weight"] == "--set"
    assert origins["heads", "stars", "use"] == "spec.yaml:7"
    assert origins["inputs", "review", "backbone", "config", "layers"] == "--set"
    assert origins["inputs", "review", "backbone", "config", "hidden_size"] == "spec.yaml:4"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("train.epochs", "write it as path=value"),
        ("", "write it as path=value"),
        ("=3", "write it as path=value"),
        ("train..epochs=3", "write it as path=value"),
        (".train=3", "write it as path=value"),
        ("train.=3", "write it as path=value"),
        ("name.first=3", "there is a plain value where `first` would stand"),
        ("heads.mood.classes.3=x", "the list has 3 items; count from 0, not `3`"),
        ("heads.mood.classes.-1=x", "the list has 3 items; count from 0, not `-1`"),
        ("heads.mood.classes.²=x", "the list has 3 items; count from 0, not `²`"),
        ("heads.mood.classes.first=x", "the list has 3 items; count from 0, not `first`"),
        ("data.train.1.path=x", "the list has 1 items; count from 0, not `1`"),
    ],
)
def test_a_form_that_cannot_be(change: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"^--set {change}: ".replace("[", r"\[")) as caught:
        load(change)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "path", "message", "suggestion"),
    [
        ("train.epoch=3", "train.epoch", "unknown key `epoch` in `train`", "epochs"),
        ("trian.epochs=3", "trian", "unknown key `trian`", "train"),
        ("train.epochs=many", "train.epochs", "`train.epochs`: expected a whole number", None),
        ("train.epochs=", "train.epochs", "`train.epochs`: expected a whole number, at least 1, not nothing", None),
        ("train.epochs='3'", "train.epochs", "not the text `3`", None),
        ("inputs.photo.backbone=timm/resnet5O", "inputs.photo.backbone.use", "unknown backbone", "timm/resnet50"),
        ("train.epochs=[1", "train.epochs", "not valid YAML: this is never closed", None),
        ("train=&a {}", "train", "the anchor `&a` is not allowed", None),
        ("train.epochs=\0", "train.epochs", "the character U+0000 is not allowed", None),
        ("train.epochs=" + "9" * 500, "train.epochs", "a number of 500 characters", None),
        ('name="a\\n"', "name", "is not of the right form", None),
        ('hub.repo="a/b\\n"', "hub.repo", "is not of the right form", None),
        ("inputs=null", "inputs", "`inputs`: expected a mapping", None),
    ],
)
def test_a_wrong_value_is_told_at_set(change: str, path: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(SpecError) as caught:
        load(change)
    problem = caught.value.problems[0]
    assert (problem.file, problem.path, problem.suggestion) == ("--set", path, suggestion)
    assert message in problem.message
    assert problem.exit_code == 2


def test_the_command_line(tmp_path: Any) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.replace("data: {train: a.csv}\n", ""))
    assert run("check", path, "--set", "train.epochs=3", "--set", "name=x").exit_code == 0
    wrong = run("check", path, "--set", "train.epoch=3")
    assert wrong.exit_code == 2
    assert "--set:1:7: unknown key `epoch` in `train`" in wrong.stderr
    assert run("check", path, "--set", "train.epochs").exit_code == 2
    assert run("spec", "render", path, "--set", "=").exit_code == 2
