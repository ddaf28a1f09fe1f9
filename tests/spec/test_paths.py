"""A spec that moves to another folder takes its files along."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import run
from zoo.spec.load import load_spec
from zoo.spec.paths import moved
from zoo.spec.sources import locate

SPEC = """\
inputs:
  photo: {type: image, backbone: {use: timm/resnet50, weights: 'runs/first#photo'}}
  other: {type: image, backbone: timm/resnet18}
heads:
  mood: zoo/classifier
data:
  train: [{path: data/a.csv, weight: 2}, ../b.csv]
  validation: 0.2
  test: ABSOLUTE
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for file in ("home/data/a.csv", "b.csv", "c.csv", "home/runs/first"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("photo,other,mood\n")
    (home / "spec.yaml").write_text(SPEC.replace("ABSOLUTE", str(tmp_path / "c.csv")))
    return home / "spec.yaml"


@pytest.mark.parametrize("where", ["home/sub/deep", "elsewhere", "."])
def test_the_paths_of_a_moved_spec_lead_to_the_same_files(where: str, spec: Path, tmp_path: Path) -> None:
    target = tmp_path / where / "moved.yaml"
    assert run("spec", "render", spec, "-o", target).exit_code == 0
    result = run("check", target)
    assert result.exit_code == 0, result.stderr
    old, new = load_spec(spec), load_spec(target)
    files = [[(loaded.folder / table.path).resolve() for table in loaded.data.train] for loaded in (old, new)]
    assert files[0] == files[1]


def test_a_pipe_is_no_table_and_nobody_waits_for_it(spec: Path) -> None:
    os.mkfifo(spec.parent / "pipe.csv")
    result = run("check", spec, "--set", "data.train=pipe.csv")
    assert result.exit_code == 2
    assert "pipe.csv` is no file" in result.stderr


@pytest.mark.parametrize("name", ["hf://datasets/acme/pets@main#train", "memory:pets"])
def test_what_cannot_be_looked_into_is_told(name: str, spec: Path) -> None:
    result = run("check", spec, "--set", f"data.train={name}")
    assert result.exit_code == 0, result.stderr
    assert f"note: {name} is " in result.stderr
    assert "its columns were not looked for" in result.stderr


@pytest.mark.parametrize("name", ["hf://datasets/acme/pets@main#train", "memory:pets", "data/*.csv", "data"])
def test_globs_and_what_is_no_path_survive_a_move(name: str, spec: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    old = load_spec(spec, overrides=[f"data.train={name}"])
    there = moved(old, tmp_path / "elsewhere")
    before, after = (locate(each.data.train[0].path, each.folder) for each in (old, there))
    assert [path.resolve() for path in before.files()] == [path.resolve() for path in after.files()]
    assert ("://" in name or ":" in name) == (there.data.train[0].path == name)
    assert moved(there, old.folder).data.train == old.data.train


def test_what_is_no_relative_path_stays(spec: Path, tmp_path: Path) -> None:
    there = moved(load_spec(spec), tmp_path / "elsewhere")
    assert there.data.test == str(tmp_path / "c.csv")
    assert there.data.validation == 0.2
    assert there.inputs["other"] == load_spec(spec).inputs["other"]


def test_moving_there_and_back_changes_nothing(spec: Path, tmp_path: Path) -> None:
    old = load_spec(spec)
    back = moved(moved(old, tmp_path / "elsewhere"), old.folder)
    assert replace(back, folder=old.folder) == old


def test_a_spec_that_stays_is_itself(spec: Path) -> None:
    old = load_spec(spec)
    assert moved(old, spec.parent) is old
