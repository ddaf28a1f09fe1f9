"""Sharing through a folder: the same bytes come back, and whatever was changed on the way is told with nothing left."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.command import run
from tests.test_laws import imported_by
from zoo.checkpoint.tensors import digest, read_tensors, write_tensors
from zoo.errors import CorruptError, DigestError, PluginError, UsageError, ZooError
from zoo.files import file_digest, json_text
from zoo.hub.folder_store import FolderStore
from zoo.hub.pull import pull
from zoo.hub.push import Push, push
from zoo.hub.reference import read_reference
from zoo.hub.stage import stage
from zoo.model.run import read_run


@pytest.fixture(scope="module")
def pushed(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Push:
    return push(trained, f"file://{tmp_path_factory.mktemp('stores')}/numbers")


@pytest.fixture
def store(pushed: Push, tmp_path: Path) -> FolderStore:
    """A copy of the store, to be damaged."""
    shutil.copytree(pushed.reference.place, tmp_path / "store")
    return FolderStore(read_reference(f"file://{tmp_path}/store"))


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_pulled_is_what_was_pushed(trained: Path, pushed: Push, tmp_path: Path) -> None:
    pulled = pull(pushed.reference, tmp_path / "pulled")
    before, after = files(trained), files(pulled.folder)
    assert after.keys() == {*before, "golden.json"}
    assert {name for name in before if before[name] != after[name]} == {"zoo.lock", "README.md"}
    lock = json.loads(after["zoo.lock"])
    shared = lock.pop("shared")
    assert lock == json.loads(before["zoo.lock"])
    assert shared["files"]["model.safetensors"]["sha256"] == file_digest(trained / "model.safetensors")
    assert pushed.new and pushed.difference == pulled.difference == 0
    assert read_run(pulled.folder).spec.heads.keys() == {"kind", "size"}


@pytest.mark.slow
def test_a_pulled_run_pushed_again_is_no_new_commit(pushed: Push, tmp_path: Path) -> None:
    pulled = pull(pushed.reference, tmp_path / "pulled")
    again = push(pulled.folder, pushed.reference.at(None))
    assert (again.new, again.sent, again.reference) == (False, 0, pushed.reference)


def test_a_dry_run_tells_what_would_be_sent_and_changes_nothing(trained: Path, tmp_path: Path) -> None:
    before = files(trained)
    done = run("push", trained, f"file://{tmp_path}/store", "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert told["dry_run"] and not told["new"] and told["sent"] == sum(told["files"].values())
    assert told["remarks"] == ["who could read it: whoever can read the folder"]
    assert "model.safetensors" in told["files"]
    assert not (tmp_path / "store").exists()
    assert files(trained) == before


@pytest.mark.slow
def test_a_dry_run_of_what_is_there_sends_nothing(trained: Path, pushed: Push) -> None:
    told = json.loads(run("push", trained, pushed.reference.at(None), "--dry-run", "--json").stdout)
    assert told["sent"] == 0


def test_a_folder_that_has_something_and_a_model_that_is_not_there(pushed: Push, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    assert run("pull", pushed.reference, "-o", tmp_path / "full").exit_code == 7
    done = run("pull", f"file://{tmp_path}/nothing", "-o", tmp_path / "out")
    assert (done.exit_code, "there is no model in" in done.stderr) == (2, True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["full"]


def changed_lock(store: FolderStore, change: Callable[[dict[str, Any]], object]) -> None:
    """Puts another lock into the newest commit, as somebody would who can write to the store."""
    lock = json.loads(store.fetch(store.resolve(), "zoo.lock").read_text())
    change(lock)
    changed_file(store, "zoo.lock", json_text(lock).encode())


def changed_file(store: FolderStore, name: str, content: bytes) -> None:
    tip = store.resolve()
    work = store.folder.parent / "work"
    work.mkdir(exist_ok=True)
    (work / "file").write_bytes(content)
    given = {each: store.fetch(tip, each) for each in store.tree(tip)} | {name: work / "file"}
    store.commit(given, tip, "changed")
    shutil.rmtree(work)


def refused(store: FolderStore, tmp_path: Path) -> ZooError:
    """The error of a pull, which leaves nothing behind."""
    with pytest.raises(ZooError) as error:
        pull(store.reference, tmp_path / "pulled")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["store"]
    return error.value


@pytest.mark.parametrize("name", ["model.safetensors", "zoo.yaml", "zoo.lock", "preprocessing.json", "golden.json"])
def test_a_flipped_bit_is_told(store: FolderStore, tmp_path: Path, name: str) -> None:
    path = store.fetch(store.resolve(), name)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    error = refused(store, tmp_path)
    assert isinstance(error, DigestError)
    assert name in str(error)


@pytest.mark.parametrize("name", ["model.safetensors", "zoo.yaml"])
def test_a_file_that_the_lock_does_not_know_is_told(store: FolderStore, tmp_path: Path, name: str) -> None:
    """Whole in the store, and not what was pushed with its lock."""
    content = store.fetch(store.resolve(), name).read_bytes()
    changed_file(store, name, content[:-1] + bytes([content[-1] ^ 1]))
    assert isinstance(refused(store, tmp_path), DigestError)
    changed_file(store, name, content + b"\n")
    assert "has not the size that zoo.lock tells" in str(refused(store, tmp_path))


RULE = {"base": "", "ours": "", "theirs": "", "renamed": {}}
LOCKS: dict[str, tuple[Callable[[dict[str, Any]], object], type[ZooError], str]] = {
    "a plugin that is not here": (
        lambda lock: lock["plugins"].update({"zoo-acme": "1.2"}),
        PluginError,
        r'pip install "zoo-acme==1\.2"',
    ),
    "a plugin whose version a shell would run": (
        lambda lock: lock["plugins"].update({"zoo-acme": "$(touch x)"}),
        CorruptError,
        "names a plugin 'zoo-acme', which is none",
    ),
    "a plugin without a name": (lambda lock: lock["plugins"].update({"": "1"}), CorruptError, "names a plugin ''"),
    "ties that are none": (lambda lock: lock.update(aliases=5), CorruptError, "no mapping `aliases`"),
    "a thousand rules": (
        lambda lock: lock["shared"]["delta"].update(
            rules=[{"base": "", "ours": "", "theirs": "", "renamed": {}}] * 1000
        ),
        CorruptError,
        "stand in its base",
    ),
    "a format of sharing to come": (lambda lock: lock["shared"].update(format=99), CorruptError, "in the format 99"),
    "no delta": (lambda lock: lock["shared"].pop("delta"), CorruptError, "does not tell what its weights are"),
    "rules that are none": (lambda lock: lock["shared"]["delta"].update(rules=[1]), CorruptError, "stand in its base"),
    "a base that is none": (
        lambda lock: lock["shared"]["delta"].update(bases={"a": {}}),
        CorruptError,
        "which is none",
    ),
    "a file that is not there": (
        lambda lock: lock["shared"]["files"].update({"parts/a": {"size": 1, "sha256": "0" * 64}}),
        CorruptError,
        "lacks 'parts/a'",
    ),
    "a file elsewhere": (
        lambda lock: lock["shared"]["files"].update({"../../a": {"size": 1, "sha256": "0" * 64}}),
        CorruptError,
        "leads elsewhere",
    ),
    "a file without digest": (
        lambda lock: lock["shared"]["files"].update({"zoo.yaml": {"size": 1}}),
        CorruptError,
        "without size and digest",
    ),
    "a tensor too many": (
        lambda lock: lock["tensors"].update({"a": "0" * 64}),
        DigestError,
        "lacks `a`, which zoo.lock tells of",
    ),
    "another digest of a tensor": (
        lambda lock: lock["tensors"].update(dict.fromkeys(lock["tensors"], "0" * 64)),
        DigestError,
        "does not have the digest",
    ),
    "a list for a mapping": (lambda lock: lock.update(tensors=[]), CorruptError, "no mapping `tensors`"),
}


@pytest.mark.parametrize("case", LOCKS)
def test_a_lock_that_was_changed_is_told(store: FolderStore, tmp_path: Path, case: str) -> None:
    change, kind, told = LOCKS[case]
    changed_lock(store, change)
    error = refused(store, tmp_path)
    assert isinstance(error, kind), error
    assert re.search(told, str(error)), error


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_lock_that_is_no_json_is_told(store: FolderStore, tmp_path: Path, content: bytes) -> None:
    changed_file(store, "zoo.lock", content)
    assert isinstance(refused(store, tmp_path), CorruptError)


def test_a_model_that_says_something_else_is_told(store: FolderStore, tmp_path: Path) -> None:
    golden = json.loads(store.fetch(store.resolve(), "golden.json").read_text())
    golden["predictions"][1]["size"] += 0.5
    text = json.dumps(golden)
    changed_file(store, "golden.json", text.encode())
    told = {"size": len(text), "sha256": file_digest(store.fetch(store.resolve(), "golden.json"))}
    changed_lock(store, lambda lock: lock["shared"]["files"].update({"golden.json": told}))
    error = refused(store, tmp_path)
    assert isinstance(error, DigestError)
    assert re.search(r"does not say here what it said where it was shared: row 1\.size differs by 0\.\d", str(error))


@pytest.mark.slow
@pytest.mark.parametrize("value", [float("nan"), None, 1e308])
def test_golden_outputs_that_are_no_numbers_say_something_else(
    store: FolderStore, tmp_path: Path, value: float | None
) -> None:
    golden = json.loads(store.fetch(store.resolve(), "golden.json").read_text())
    golden["predictions"][0]["size"] = value
    text = json.dumps(golden)
    changed_file(store, "golden.json", text.encode())
    told = {"size": len(text), "sha256": file_digest(store.fetch(store.resolve(), "golden.json"))}
    changed_lock(store, lambda lock: lock["shared"]["files"].update({"golden.json": told}))
    assert isinstance(refused(store, tmp_path), DigestError)


@pytest.mark.slow
def test_a_damaged_store_is_mended_by_pushing_again(store: FolderStore, tmp_path: Path, trained: Path) -> None:
    for path in (store.folder / "objects").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert isinstance(refused(store, tmp_path), (CorruptError, DigestError))
    push(trained, store.reference)
    pulled = pull(store.reference, tmp_path / "pulled")
    content = bytearray((pulled.folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (pulled.folder / "model.safetensors").write_bytes(content)  # what is pulled is the puller's own
    pull(store.reference, tmp_path / "again")


def test_verify_looks_at_every_file_that_was_pushed(pushed: Push, tmp_path: Path) -> None:
    folder = pull(pushed.reference, tmp_path / "pulled").folder
    (folder / "metrics.json").write_text("{}")
    assert run("verify", folder).exit_code == 5
    (folder / "golden.json").unlink()
    assert run("verify", folder).exit_code in (4, 5)


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def staged(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    stage(folder, tmp_path / "beside")


@pytest.mark.parametrize("name", ["notes.txt", "model.bin", "parts/../x.py"])
def test_a_stray_file_is_not_pushed(copied: Path, tmp_path: Path, name: str) -> None:
    (copied / "parts").mkdir(exist_ok=True)
    (copied / name).write_text("")
    with pytest.raises(UsageError, match="which is no file of a run"):
        staged(copied, tmp_path)


def test_a_link_is_not_pushed(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text((copied / "metrics.json").read_text())
    (copied / "metrics.json").unlink()
    (copied / "metrics.json").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match="is a link"):
        staged(copied, tmp_path)


def test_weights_that_are_no_numbers_are_not_pushed(copied: Path, tmp_path: Path) -> None:
    model = read_run(copied)
    name = next(name for name, each in model.named_parameters() if each.ndim == 2)
    tensors = {key: each.clone() for key, each in read_tensors(copied / "model.safetensors").items()}
    tensors[name][0, 0] = torch.nan
    write_tensors(copied / "model.safetensors", tensors)
    lock = json.loads((copied / "zoo.lock").read_text())
    lock["tensors"][name] = digest(tensors[name])
    (copied / "zoo.lock").write_text(json_text(lock))
    with pytest.raises(UsageError, match=f"`{name}` holds NaN or infinities"):
        staged(copied, tmp_path)


def test_a_run_that_was_changed_is_not_pushed(copied: Path, tmp_path: Path) -> None:
    tensors = {name: each + 1 for name, each in read_tensors(copied / "model.safetensors").items()}
    write_tensors(copied / "model.safetensors", tensors)
    with pytest.raises(DigestError, match="does not have the digest"):
        staged(copied, tmp_path)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    for verb in (["push", tmp_path, f"file://{tmp_path}/s"], ["verify", tmp_path]):
        done = run(*verb)
        assert (done.exit_code, "is no run folder" in done.stderr) == (2, True)
    assert run("push", tmp_path, f"file://{tmp_path}/s@{'0' * 40}").exit_code == 2


@pytest.mark.slow
def test_verify_tells_what_is_in_order_and_what_is_not(pushed: Push, copied: Path) -> None:
    assert "golden outputs equal" in run("verify", str(pushed.reference)).stdout
    lock = json.loads((copied / "zoo.lock").read_text())
    lock["libraries"]["torch"] = "1.0"
    (copied / "zoo.lock").write_text(json_text(lock))
    done = run("verify", copied)
    assert "no golden outputs to compare" in done.stdout and "made with torch 1.0" in done.stderr
    (copied / "zoo.yaml").write_text("{}")
    assert run("verify", copied).exit_code == 5


@pytest.mark.slow
def test_torch_is_imported_in_the_fresh_process_alone(trained: Path, tmp_path: Path) -> None:
    for words in (["push", trained, f"file://{tmp_path}/store"], ["pull", f"file://{tmp_path}/store", "-o", "mine"]):
        assert "torch" not in imported_by([str(each) for each in words], tmp_path)
    assert (tmp_path / "mine" / "zoo.lock").exists()


def test_a_run_that_never_comes_to_an_end_is_given_up(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.prove.PATIENCE", 0)
    with pytest.raises(UsageError, match="that took longer than 0 s"):
        pull(store.reference, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
