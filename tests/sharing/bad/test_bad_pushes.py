"""Row 26 where it is told: somebody pushed between the look at the newest commit and the push."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.sharing.bad.runs import changed_json, refused, spoiled, stored, written
from tests.sharing.proof import prove_here
from zoo.hub.folder_store import FolderStore
from zoo.hub.reference import read_reference


def test_26_who_pushes_on_what_is_not_the_newest_commit_any_more_is_told_of_both(
    shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)
    store = FolderStore(read_reference(stored(shared, tmp_path)))
    first = store.resolve()
    theirs = spoiled(shared, changed_json("metrics.json", lambda told: told.update(by="them")))
    ours = spoiled(shared, changed_json("metrics.json", lambda told: told.update(by="us")))
    written(theirs, tmp_path / "theirs")
    second = store.commit({name: tmp_path / "theirs" / name for name in theirs}, first, "theirs").commit
    folder = written(ours, tmp_path / "run")
    told, tip = [first], FolderStore.tip
    monkeypatch.setattr(FolderStore, "tip", lambda self: told.pop() if told else tip(self))  # a look before theirs
    refused(["push", folder, store.reference], tmp_path / "run", 7, (second, first, "somebody pushed meanwhile"))
    assert store.resolve() == second
    assert {name: blob.size for name, blob in store.tree(second).items()} == {
        name: len(data) for name, data in theirs.items()
    }
