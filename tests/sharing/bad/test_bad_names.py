"""Rows 16 and 17: names of files that lead elsewhere, in a store, in a lock and in an index; links."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sharing.bad.runs import Files, changed_json, refused, spoiled, stored, written
from tests.sharing.bad.test_bad_weights import by_build
from zoo.checkpoint.raw import map_file, write_file

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARD = "model-00001-of-00001.safetensors"
ELSEWHERE, TWINS = "whose name leads elsewhere", "are one file on some systems"
NAMES: list[tuple[str, tuple[str, ...], str]] = [
    ("above", ("../x",), ELSEWHERE),
    ("absolute", ("/tmp/x",), ELSEWHERE),
    ("backslashes", ("..\\x",), ELSEWHERE),
    ("above, within", ("parts/../../x",), ELSEWHERE),
    ("a case clash", ("parts/A", "parts/a"), TWINS),
    ("a device", ("parts/CON",), "whose name is none on Windows"),
    ("a device with an ending", ("parts/aux.json",), "whose name is none on Windows"),
    ("NFC and NFD", ("parts/\u00e9", "parts/e\u0301"), TWINS),
]


@pytest.mark.parametrize(("what", "names", "told"), NAMES, ids=[f"16-{each[0]}" for each in NAMES])
def test_a_name_that_leads_elsewhere(
    what: str, names: tuple[str, ...], told: str, shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    files = spoiled(shared, lambda files: files.update(dict.fromkeys(names, b"{}")))
    reference = stored(files, place)
    refused(["pull", reference, "-o", place / "mine"], tmp_path, 4, (reference, repr(names[-1]), told))


ALONE = [(name, "whose name leads elsewhere") for name in ("../x", "/tmp/x", "..\\x")]


@pytest.mark.parametrize(("name", "why"), [*ALONE, ("parts/none.json", "which its zoo.lock lists")])
def test_16_a_name_in_the_lock_alone(name: str, why: str, shared: Mapping[str, bytes], tmp_path: Path) -> None:
    told = {"size": 2, "sha256": "0" * 64}
    files = dict(shared)
    changed_json("zoo.lock", lambda lock: lock["shared"]["files"].update({name: told}))(files)
    reference = stored(files, tmp_path)
    refused(["pull", reference, "-o", tmp_path / "mine"], tmp_path, 4, (reference, f"{name!r}, {why}"))


def test_16_a_link_in_a_store_and_in_a_run(shared: Mapping[str, bytes], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody's business")
    place = tmp_path / "place"
    place.mkdir()
    reference = stored(shared, place)
    for each in (place / "store" / "objects").iterdir():
        if each.read_bytes() == shared["metrics.json"]:
            each.unlink()
            each.symlink_to(secret)
    told = refused(["pull", reference, "-o", place / "mine"], place, 5, (reference, "'metrics.json'", "digest"))
    run = written(shared, tmp_path / "run")
    (run / "metrics.json").unlink()
    (run / "metrics.json").symlink_to(secret)
    told += refused(["push", run, f"file://{place}/other"], place, 2, ("metrics.json", "is a link"))
    assert "business" not in told


def sharded(files: Files, folder: Path, places: Mapping[str, str]) -> None:
    """The weights in one shard, and an index that names files."""
    (folder / WEIGHTS).write_bytes(files.pop(WEIGHTS))
    tensors = map_file(folder / WEIGHTS)
    write_file(folder / SHARD, {name: each for name, each in tensors.items() if name not in places})
    files[SHARD] = (folder / SHARD).read_bytes()
    places = {name: places.get(name, SHARD) for name in tensors}
    files[INDEX] = json.dumps({"metadata": {}, "weight_map": places}).encode()


NAME = "heads.kind.output.weight"
PLACES: list[tuple[str, str, int, tuple[str, ...]]] = [
    (
        "outside",
        "../../outside.safetensors",
        4,
        (INDEX, "'../../outside.safetensors'", "safetensors file beside it"),
    ),
    ("absolute", "/outside.safetensors", 4, (INDEX, "'/outside.safetensors'", "safetensors file beside it")),
    ("a folder", "parts/a.safetensors", 4, (INDEX, "'parts/a.safetensors'", "safetensors file beside it")),
    ("a missing shard", "model-00002-of-00002.safetensors", 4, ("model-00002-of-00002.safetensors",)),
    ("a file of another name", "other.safetensors", 4, ("other.safetensors",)),
]


@pytest.mark.parametrize(("what", "file", "code", "told"), PLACES, ids=[f"17-{each[0]}" for each in PLACES])
def test_an_index_that_names_files_elsewhere(
    what: str, file: str, code: int, told: tuple[str, ...], shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    work, place = tmp_path / "work", tmp_path / "place"
    work.mkdir()
    (place / "deep" / "er").mkdir(parents=True)
    files = spoiled(shared, lambda files: sharded(files, work, {NAME: file}))
    for outside in (place, place / "deep"):  # what is there must not be looked at
        (outside / "outside.safetensors").write_bytes(files[SHARD])
    reference = stored(files, place / "deep")
    told_of_it = refused(["pull", reference, "-o", place / "deep" / "er" / "mine"], place, code, (reference, *told))
    assert ".mine" not in told_of_it  # a folder that is gone
    run = written(files, place / "deep" / "er" / "run")
    refused(["verify", run], place, code, told)
    refused(["push", run, f"file://{place}/other"], place, code, told)
    refused(by_build(f"{run.relative_to(place)}#left", place), place, code, told)
