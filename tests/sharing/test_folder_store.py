"""A store in a folder: commits with parents, one tip, objects by digest; many that push at once; damage."""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from zoo.errors import ConflictError, CorruptError, NetworkError, UsageError
from zoo.files import file_digest
from zoo.hub.folder_store import FolderStore
from zoo.hub.names import MOST
from zoo.hub.reference import read_reference


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(read_reference(f"file://{tmp_path}/store/pets"))


def files(folder: Path, **contents: str) -> Mapping[str, Path]:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content)
    return {name: folder / name for name in contents}


def test_a_push_is_a_commit_with_the_tree_that_was_given(store: FolderStore, tmp_path: Path) -> None:
    assert store.tip() is None
    first = store.commit(files(tmp_path / "one", a="1", b="22"), None, "first")
    assert (first.parent, first.sent, first.new) == (None, 3, True)
    second = store.commit(files(tmp_path / "two", a="1", c="333"), first.commit, "second")
    assert (second.parent, second.sent, store.tip()) == (first.commit, 3, second.commit)
    assert {name: blob.size for name, blob in store.tree(first.commit).items()} == {"a": 1, "b": 2}
    assert {name: blob.size for name, blob in store.tree(second.commit).items()} == {"a": 1, "c": 3}
    for commit, name, content in ((first.commit, "b", "22"), (second.commit, "c", "333")):
        path = store.fetch(commit, name)
        assert path.read_text() == content
        assert store.tree(commit)[name].sha256 == file_digest(path)


def test_files_that_are_there_already_are_no_new_commit(store: FolderStore, tmp_path: Path) -> None:
    given = files(tmp_path / "one", a="1")
    first = store.commit(given, None, "first")
    again = store.commit(given, None, "again")  # as after a reply that was lost
    assert (again.commit, again.new, again.sent) == (first.commit, False, 0)


def test_a_push_on_a_parent_that_is_no_tip_any_more_loses_nothing(store: FolderStore, tmp_path: Path) -> None:
    first = store.commit(files(tmp_path / "one", a="1"), None, "first")
    second = store.commit(files(tmp_path / "two", a="2"), first.commit, "second")
    with pytest.raises(ConflictError, match=f"is at {second.commit} and no longer at {first.commit}"):
        store.commit(files(tmp_path / "three", a="3"), first.commit, "third")
    assert store.tip() == second.commit


def test_revisions(store: FolderStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no model in"):
        store.resolve()
    first = store.commit(files(tmp_path / "one", a="1"), None, "first")
    for revision in (None, "main", first.commit):
        assert FolderStore(store.reference.at(revision)).resolve() == first.commit
    for revision in ("v1", "0" * 40):
        with pytest.raises(UsageError, match=f"has no commit `{revision}`"):
            FolderStore(store.reference.at(revision)).resolve()


def push(place: str, parent: str, folder: str, number: int) -> str:
    store = FolderStore(read_reference(place))
    try:
        return store.commit(files(Path(folder) / str(number), a=str(number)), parent, str(number)).commit
    except ConflictError:
        return ""


def test_of_sixteen_that_push_at_once_one_wins(store: FolderStore, tmp_path: Path) -> None:
    first = store.commit(files(tmp_path / "one", a="one"), None, "first")
    (tmp_path / "pushed").mkdir()
    jobs = [(str(store.reference), first.commit, str(tmp_path / "pushed"), number) for number in range(16)]
    with multiprocessing.get_context("forkserver").Pool(4) as pool:
        found = pool.starmap(push, jobs, chunksize=1)
    assert [each for each in found if each] == [store.tip()]
    assert len(list((store.folder / "commits").iterdir())) == 2
    assert not list((store.folder / "objects").glob(".*"))


def test_damage_is_told(store: FolderStore, tmp_path: Path) -> None:
    first = store.commit(files(tmp_path / "one", a="1"), None, "first")
    record = store.folder / "commits" / f"{first.commit}.json"
    before = record.read_text()
    for content in (before.replace('"first"', '"other"'), "[]", "{", ""):
        record.write_text(content)
        with pytest.raises(CorruptError, match="record"):
            store.tree(first.commit)
    record.write_text(before)
    shutil.rmtree(store.folder / "objects")
    with pytest.raises(NetworkError, match="lacks `a`"):
        store.fetch(first.commit, "a")
    (store.folder / "main").write_text("../../x")
    with pytest.raises(CorruptError, match="names no commit"):
        store.tip()


def test_a_commit_that_lists_more_files_than_a_run_can_have(store: FolderStore) -> None:
    each = {"size": 1, "sha256": "0" * 64}
    for count in (MOST, MOST + 1):
        record = json.dumps({"files": {f"parts/{number}": each for number in range(count)}}).encode()
        commit = hashlib.sha1(record).hexdigest()
        (store.folder / "commits").mkdir(parents=True, exist_ok=True)
        (store.folder / "commits" / f"{commit}.json").write_bytes(record)
        if count == MOST:
            assert len(store.tree(commit)) == MOST
            continue
        with pytest.raises(CorruptError, match=rf"{commit}.json` lists 10,001 files, and a run has 10,000 at most"):
            store.tree(commit)


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = FolderStore(read_reference(f"file://{tmp_path}/file/pets"))
    with pytest.raises((UsageError, NetworkError), match="cannot be"):
        store.commit(files(tmp_path / "one", a="1"), None, "first")
