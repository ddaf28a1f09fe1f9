"""Rows 6 to 8, 10: whole files with the wrong tensors, and pickles."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.command import run
from tests.sharing.bad.runs import Files, changed_json, refused, spoiled, stored, written
from tests.sharing.proof import prove_here
from tests.tables import SPEC, write_tables
from zoo.checkpoint.tensors import digest, read_tensors, write_tensors

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
NAME = "heads.kind.output.weight"
MANY = {f"more{number:02}": torch.ones(1) for number in range(30)}
Tensors = dict[str, Tensor]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh process takes seconds, and calls the same."""
    prove_here(monkeypatch)


def changed(path: Path, change: Callable[[Tensors], object]) -> Tensors:
    """Changes the tensors in a file."""
    tensors = {name: each.clone() for name, each in read_tensors(path).items()}
    change(tensors)
    path.unlink()
    write_tensors(path, tensors)
    return tensors


def other(meant: bool, change: Callable[[Tensors], object], files: Files, folder: Path) -> None:
    """Other tensors, in a file that the lock tells of; of each tensor too where it is meant, and then no samples do."""
    (folder / WEIGHTS).write_bytes(files[WEIGHTS])
    tensors = changed(folder / WEIGHTS, change)
    files[WEIGHTS] = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).unlink()
    if meant:
        told = {name: digest(each) for name, each in tensors.items()}
        changed_json("zoo.lock", lambda lock: lock.update(tensors=told))(files)
        del files["golden.json"]


def as_integers(tensors: Tensors) -> None:
    tensors[NAME] = tensors[NAME].view(torch.int32)


CHANGES: list[tuple[int, str, bool, Callable[[Tensors], object], int, tuple[str, ...]]] = [
    (6, "a type of the same width", False, as_integers, 5, (f"`{NAME}` does not have the digest",)),
    (6, "a type of the same width, meant", True, as_integers, 4, (f"`{NAME}` as torch.int32", "torch.float32")),
    (
        7,
        "another shape",
        True,
        lambda all_: all_.update({NAME: torch.ones(2, 3)}),
        4,
        (f"`{NAME}` as [2, 3]", "[2, 16]"),
    ),
    (7, "a missing tensor", False, lambda all_: all_.pop(NAME), 5, (f"lacks `{NAME}`, which zoo.lock tells of",)),
    (7, "a missing tensor, meant", True, lambda all_: all_.pop(NAME), 4, (f"they lack `{NAME}`",)),
    (7, "tensors too many", False, lambda all_: all_.update(MANY), 5, ("`more09` and 20 more", "not tell of")),
    (7, "tensors too many, meant", True, lambda all_: all_.update(MANY), 4, ("`more09` and 20 more", "no place for")),
    (8, "not a number", True, lambda all_: all_[NAME].fill_(torch.nan), 4, (f"`{NAME}` holds NaN or infinities",)),
    (8, "infinity", True, lambda all_: all_[NAME][0, 0].fill_(-torch.inf), 4, (f"`{NAME}` holds NaN", "--allow-nonf")),
]


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_tensors_that_are_not_those_of_the_model(
    case: tuple[int, str, bool, Callable[[Tensors], object], int, tuple[str, ...]],
    shared: Mapping[str, bytes],
    tmp_path: Path,
) -> None:
    _, _, meant, change, code, words = case
    (tmp_path / "place").mkdir()
    files = spoiled(shared, lambda files: other(meant, change, files, tmp_path))
    reference = stored(files, tmp_path / "place")
    refused(["pull", reference, "-o", tmp_path / "place" / "mine"], tmp_path / "place", code, (reference, *words))


def by_build(weights: str, folder: Path) -> list[object]:
    spec = write_tables(folder, SPEC.replace("dropout: 0}", f"dropout: 0, weights: {weights}}}", 1))
    return ["build", spec, "-o", folder / "runs" / "mine"]


STARTS: list[tuple[int, str, Tensors, tuple[str, ...]]] = [
    (6, "whole numbers", {"layers.0.0.numbers.weight": torch.ones(16, 2, dtype=torch.int32)}, ("as torch.int32",)),
    (7, "another shape", {"layers.0.0.numbers.weight": torch.ones(16, 3)}, ("as [16, 3]", "has [16, 2]")),
    (7, "nothing of it", MANY, ("none of the 30 tensors",)),
]


@pytest.mark.parametrize("case", STARTS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_start_that_is_not_of_the_backbone(case: tuple[int, str, Tensors, tuple[str, ...]], tmp_path: Path) -> None:
    _, _, tensors, words = case
    write_tensors(tmp_path / "start.safetensors", tensors)
    told = ("`inputs.left.backbone`", "start.safetensors", *words)
    refused(by_build("start.safetensors", tmp_path), tmp_path, 4, told)


def test_8_weights_that_are_no_numbers_are_pushed_and_pulled_by_explicit_wish(trained: Path, tmp_path: Path) -> None:
    from shutil import copytree

    folder = tmp_path / "run"
    copytree(trained, folder)
    told = {
        name: digest(each) for name, each in changed(folder / WEIGHTS, lambda all_: all_[NAME].fill_(torch.nan)).items()
    }
    files = {"zoo.lock": (folder / "zoo.lock").read_bytes()}
    changed_json("zoo.lock", lambda lock: lock.update(tensors=told))(files)
    written(files, folder)
    store = f"file://{tmp_path}/store"
    refused(["push", folder, store], tmp_path, 2, (f"`{NAME}` holds NaN or infinities", "--allow-nonfinite"))
    assert run("push", folder, store, "--allow-nonfinite").exit_code == 0
    refused(["pull", store, "-o", tmp_path / "mine"], tmp_path, 4, (f"`{NAME}` holds NaN or infinities",))
    done = run("pull", store, "-o", tmp_path / "mine", "--allow-nonfinite")
    assert done.exit_code == 0, done.stderr


class Payload:
    """What runs when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


PICKLES = ["pytorch_model.bin", "model.bin", "model.pt", "model.pth", "model.pkl", "model.ckpt"]


@pytest.mark.parametrize("name", PICKLES)
def test_10_a_pickle_alone_is_never_read(name: str, shared: Mapping[str, bytes], tmp_path: Path) -> None:
    ran, place = tmp_path / "ran", tmp_path / "place"
    place.mkdir()
    payload = pickle.dumps(Payload(ran))

    def spoil(files: Files) -> None:
        del files[WEIGHTS]
        files[name] = payload

    files = spoiled(shared, spoil)
    reference = stored(files, place)
    refused(["pull", reference, "-o", place / "mine"], place, 4, (reference, f"`{name}`", "convert it to safetensors"))
    written({name: payload}, place / "start")
    told = (f"`{name}`", "pickle", "convert it to safetensors")
    refused(by_build("start", place), place, 4, ("start", *told))
    refused(by_build(f"start/{name}", place), place, 4, (f"start/{name}", "pickle", "convert it to safetensors"))
    run_folder = written(files, place / "run")
    refused(["verify", run_folder], place, 4, told)
    refused(["push", run_folder, f"file://{place}/other"], place, 4, told)
    assert not ran.exists()
    pickle.loads(payload)
    assert ran.exists(), "the payload is none"
