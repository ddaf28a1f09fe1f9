"""Where weights come from: folders, files, shards, and parts of earlier runs; never a pickle."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from zoo.checkpoint.hub import HubRepository
from zoo.checkpoint.run_part import RunPart
from zoo.checkpoint.source import File, Folder
from zoo.checkpoint.tensors import digest, read_tensors, write_tensors
from zoo.checkpoint.verify import text_digest
from zoo.errors import CorruptError, DigestError, NetworkError, UsageError

NAMES = ["model.safetensors"]
SMALL = ("preprocessing.json", "parts/photo/tokenizer.json")


def tensors(*names: str) -> dict[str, Tensor]:
    return {name: torch.full((2,), float(number)) for number, name in enumerate(names)}


def test_a_folder_gives_the_first_of_the_names_that_is_there(tmp_path: Path) -> None:
    write_tensors(tmp_path / "second.safetensors", tensors("second"))
    write_tensors(tmp_path / "third.safetensors", tensors("third"))
    found = Folder(tmp_path).tensors(["first.safetensors", "second.safetensors", "third.safetensors"])
    assert list(found) == ["second"]
    assert Folder(tmp_path).record() == {"path": str(tmp_path)}
    assert Folder(tmp_path).path("first.safetensors") is None


def sharded(folder: Path) -> Folder:
    weights = tensors("a", "b", "c")
    write_tensors(folder / "1.safetensors", {name: weights[name] for name in "ab"})
    write_tensors(folder / "2.safetensors", {"c": weights["c"]})
    shards = {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    return Folder(folder)


def test_shards_are_joined(tmp_path: Path) -> None:
    found = sharded(tmp_path).tensors(NAMES)
    assert {name: each.tolist() for name, each in found.items()} == {"a": [0, 0], "b": [1, 1], "c": [2, 2]}


def test_a_shard_that_is_missing_is_told(tmp_path: Path) -> None:
    folder = sharded(tmp_path)
    (tmp_path / "2.safetensors").unlink()
    with pytest.raises(CorruptError, match=r"lacks `2\.safetensors`, which its index names"):
        folder.tensors(NAMES)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "open_clip_pytorch_model.bin", "model.ckpt"])
def test_a_folder_with_a_pickle_alone_is_refused(name: str, tmp_path: Path) -> None:
    torch.save(tensors("a"), tmp_path / name)
    with pytest.raises(CorruptError, match=f"as a pickle alone .`{name}`."):
        Folder(tmp_path).tensors(NAMES)


def test_a_folder_without_weights_tells_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none of model\.safetensors, model\.safetensors\.index\.json is there"):
        Folder(tmp_path).tensors(NAMES)


def test_a_file_may_have_any_name_and_brings_what_is_beside_it(tmp_path: Path) -> None:
    write_tensors(tmp_path / "mine.safetensors", tensors("a"))
    (tmp_path / "config.json").write_text("{}")
    file = File(tmp_path / "mine.safetensors")
    assert list(file.tensors(NAMES)) == ["a"]
    assert file.path("config.json") == tmp_path / "config.json"
    assert file.record() == {"path": str(tmp_path / "mine.safetensors")}


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    torch.save(tensors("a"), tmp_path / "mine.pth")
    with pytest.raises(CorruptError, match="is a pickle, which could run code"):
        File(tmp_path / "mine.pth").tensors(NAMES)
    (tmp_path / "mine.npz").write_bytes(b"")
    with pytest.raises(UsageError, match=r"is no \.safetensors file"):
        File(tmp_path / "mine.npz").tensors(NAMES)


@pytest.fixture
def run(tmp_path: Path) -> Folder:
    """What of a run folder its parts are read from."""
    named = ("backbones.photo.a", "backbones.photo.b.c", "backbones.photography.a", "heads.mood.a")
    whole = tensors(*named)
    write_tensors(tmp_path / "model.safetensors", whole)
    fitted = {"backbones": {"photo": {"means": [1.0]}}, "heads": {"mood": {"classes": ["x"]}}}
    (tmp_path / "preprocessing.json").write_text(json.dumps(fitted))
    (tmp_path / "parts" / "photo").mkdir(parents=True)
    (tmp_path / "parts" / "photo" / "tokenizer.json").write_text("{}")
    files = {name: text_digest((tmp_path / name).read_bytes()) for name in SMALL}
    lock = {"format": 3, "files": files, "tensors": {name: digest(tensor) for name, tensor in whole.items()}}
    (tmp_path / "zoo.lock").write_text(json.dumps(lock))
    return Folder(tmp_path)


@pytest.mark.parametrize("name", SMALL)
def test_a_file_of_a_part_that_was_changed_is_refused(name: str, run: Folder) -> None:
    (run.folder / name).write_text('{"backbones": {}}')
    with pytest.raises(DigestError, match=rf"{name}` does not have the digest"):
        _ = RunPart(run, "photo").fitted(), RunPart(run, "photo").path("tokenizer.json")


def test_a_tensor_of_a_part_that_was_changed_is_refused(run: Folder) -> None:
    changed = read_tensors(run.folder / "model.safetensors")
    changed["backbones.photo.a"] = changed["backbones.photo.a"] + 1
    write_tensors(run.folder / "changed.safetensors", changed)
    (run.folder / "changed.safetensors").replace(run.folder / "model.safetensors")
    with pytest.raises(DigestError, match=r"`backbones\.photo\.a` does not have the digest"):
        RunPart(run, "photo").tensors(NAMES)
    assert list(RunPart(run, "mood", "heads").tensors(NAMES)) == ["a"]


@pytest.mark.parametrize("lock", ["[]", "{", '{"format": 3, "tensors": [], "files": 3}'])
def test_a_damaged_lock_is_told(lock: str, run: Folder) -> None:
    (run.folder / "zoo.lock").write_text(lock)
    for read in (lambda: RunPart(run, "photo").tensors(NAMES), RunPart(run, "photo").fitted):
        with pytest.raises(CorruptError, match=r"zoo\.lock"):
            read()


def test_a_part_of_a_run_has_the_names_that_it_has_within_itself(run: Folder) -> None:
    assert list(RunPart(run, "photo").tensors(NAMES)) == ["a", "b.c"]
    assert list(RunPart(run, "mood", "heads").tensors(NAMES)) == ["a"]


def test_a_part_of_a_run_brings_its_files_and_what_was_learnt(run: Folder) -> None:
    photo = RunPart(run, "photo")
    assert photo.path("tokenizer.json") == run.folder / "parts" / "photo" / "tokenizer.json"
    assert photo.path("other.json") is None
    assert photo.fitted() == {"means": [1.0]}
    assert RunPart(run, "mood", "heads").fitted() == {"classes": ["x"]}
    assert RunPart(run, "photography").fitted() == {}
    assert photo.record() == {"path": str(run.folder), "part": "photo"}


@pytest.mark.parametrize(
    ("part", "place", "told"),
    [
        ("phot", "backbones", "has no `phot` in its backbones: photo, photography"),
        ("photo", "heads", "has no `photo` in its heads: mood"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_those_that_are(part: str, place: str, told: str, run: Folder) -> None:
    with pytest.raises(UsageError, match=told):
        RunPart(run, part, place).tensors(NAMES)


def test_a_hub_that_cannot_be_reached_is_told_and_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    repository = HubRepository("acme/model-that-is-in-no-cache")
    with pytest.raises(NetworkError, match="cannot be reached"):
        _ = repository.commit
    assert repository.to_fetch(["model.safetensors"]) is None
