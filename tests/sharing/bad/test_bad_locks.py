"""Row 32: locks and stores that list more than there can be, and bases that are none."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.sharing.bad.runs import (
    Cost,
    Files,
    Spoil,
    changed_json,
    check_bounded,
    cost,
    refused,
    spoiled,
    stored,
    written,
)
from zoo.hub import bases
from zoo.hub.bases import find_base

COMMIT, DIGEST = "0123456789" * 4, "0" * 64
FILE = f'{{"size":1,"sha256":"{DIGEST}"}}'
WEIGHTS = {"model.safetensors": {"sha256": DIGEST, "size": 1}}


def listing(count: int) -> str:
    """The files of a lock, or of a commit, that many."""
    return ",".join(f'"parts/{number}":{FILE}' for number in range(count))


def listed(count: int, files: Files) -> None:
    changed_json("zoo.lock", lambda lock: lock["shared"]["files"].update({"parts/more": 1}))(files)
    files["zoo.lock"] = files["zoo.lock"].replace(b'"parts/more": 1', listing(count).encode())


def shaped(shape: bytes, files: Files) -> None:
    """A lock of as many bytes as are read, all lists, or all mappings."""
    files["zoo.lock"] = b'{"a":[' + (shape + b",") * ((16 << 20) // 3 - 10) + b"1]}"


def plugins(count: int, files: Files) -> None:
    changed_json("zoo.lock", lambda lock: lock["plugins"].update({f"zoo-{each}": "1" for each in range(count)}))(files)


def base(name: str, told: Any) -> Spoil:
    return changed_json("zoo.lock", lambda lock: lock["shared"]["delta"].update(bases={name: told}))


def named(files: Mapping[str, Any], commit: str = COMMIT) -> tuple[str, Any]:
    return f"acme/base@{commit}", {"repo": "acme/base", "commit": commit, "files": files}


LOCKS: list[tuple[str, Spoil, tuple[str, ...]]] = [
    ("20,000 files", lambda files: listed(20_000, files), ("the zoo.lock of", "does not list its files")),
    ("200,000 files", lambda files: listed(200_000, files), ("the zoo.lock of", "has more than 16,777,216 bytes")),
    ("2,000 plugins", lambda files: plugins(2_000, files), ("2,001 plugins", "1,000 at most")),
    ("101 bases", base("", {}), ("the base ''",)),
    ("a base at a branch", base(*named(WEIGHTS, "main")), ("the base 'acme/base@main', which is none",)),
    ("a base without files", base(*named({})), (f"the base 'acme/base@{COMMIT}', which is none",)),
    ("a base of a negative size", base(*named({"a.safetensors": {"sha256": DIGEST, "size": -1}})), ("which is none",)),
    ("a base without a digest", base(*named({"a.safetensors": {"sha256": "", "size": 1}})), ("which is none",)),
    ("a base elsewhere", base(*named({"../a.safetensors": {"sha256": DIGEST, "size": 1}})), ("which is none",)),
    ("a base that is a delta", base(*named({"delta.safetensors": WEIGHTS})), ("which is a delta itself",)),
]


@pytest.mark.parametrize(("what", "spoil", "told"), LOCKS, ids=[f"32-{each[0]}" for each in LOCKS])
def test_a_lock_that_is_refused(
    what: str, spoil: Spoil, told: tuple[str, ...], shared: Mapping[str, bytes], tmp_path: Path
) -> None:
    reference = stored(spoiled(shared, spoil), tmp_path)
    refused(["pull", reference, "-o", tmp_path / "mine"], tmp_path, 4, told)


@pytest.fixture(scope="module")
def usual(shared: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Cost:
    """What a refusal takes for a reason that costs nothing."""
    folder = tmp_path_factory.mktemp("usual")
    reference = stored({name: data for name, data in shared.items() if name != "config.json"}, folder)
    return cost(["pull", reference, "-o", folder / "mine"], folder / "work", 2, ("it has no config.json",))


COSTS: dict[str, Spoil] = {
    "160,000 files": lambda files: listed(160_000, files),
    "5,000,000 lists": lambda files: shaped(b"[]", files),
    "5,000,000 mappings": lambda files: shaped(b"{}", files),
    "200,000 plugins": lambda files: plugins(200_000, files),
    "deep lists": lambda files: files.update({"zoo.lock": b"[" * (16 << 20)}),
    "more than is read": lambda files: files.update({"zoo.lock": b" " * (65 << 20)}),
}


@pytest.mark.parametrize("what", COSTS)
def test_32_a_large_lock_costs_little(what: str, usual: Cost, shared: Mapping[str, bytes], tmp_path: Path) -> None:
    reference = stored(spoiled(shared, COSTS[what]), tmp_path)
    taken = cost(["pull", reference, "-o", tmp_path / "mine"], tmp_path / "work", 4, ("zoo.lock",))
    check_bounded(taken, usual)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("count", [20_000, 1_000_000])
def test_32_a_commit_that_lists_more_than_there_can_be(count: int, usual: Cost, tmp_path: Path) -> None:
    record = f'{{"files":{{{listing(count)}}}}}'.encode()
    commit = hashlib.sha1(record).hexdigest()
    written({"main": commit.encode(), f"commits/{commit}.json": record}, tmp_path / "store")
    told = ("20,000 files", "10,000 at most") if count == 20_000 else (f"{commit}.json",)
    taken = cost(["pull", f"file://{tmp_path}/store", "-o", tmp_path / "mine"], tmp_path / "work", 4, told)
    check_bounded(taken, usual)
    assert not (tmp_path / "mine").exists()


def test_32_of_a_base_that_is_a_delta_itself_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A push sends its weights whole: a delta stands on what is whole, so that chains have one link."""

    class Repository:
        def __init__(self, *_: object) -> None:
            pass

        def names(self) -> list[str]:
            return ["config.json", "delta.safetensors", "zoo.lock"]

    monkeypatch.setattr(bases, "Repository", Repository)
    assert find_base("acme/delta", COMMIT) is None
