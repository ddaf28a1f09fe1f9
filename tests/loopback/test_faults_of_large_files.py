"""Faults on the way of large files, and how many bytes really go over the wire."""

import random
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download

from tests.loopback.client import ask, raised
from tests.loopback.faults import Corrupt, Drop, Status, Truncate
from tests.loopback.serving import Loopback
from tests.loopback.xet import flipped

BIG = random.Random(4).randbytes(2_000_000)
PATH = "acme/pets"


def fetch(name: str) -> list[str]:
    found: list[bytes] = []
    error = raised(lambda: found.append(Path(hf_hub_download(PATH, name)).read_bytes()))
    return [error, *(content.hex() for content in found)]


def push(name: str, start: str) -> str:
    content = start.encode() + BIG[len(start) :]
    return raised(
        lambda: HfApi().create_commit(PATH, [CommitOperationAdd(name, content)], commit_message=f"{name} {start}")
    )


def test_corruption_that_keeps_the_size_is_not_seen(hub: Loopback, tmp_path: Path) -> None:
    hub.put(PATH, {"a.bin": BIG})
    hub.fail("GET", "/files/|/xet-read-token/", 1, Corrupt())
    error, content = ask(hub, tmp_path / "first", fetch, "a.bin")
    damaged = bytes.fromhex(content)
    assert (error, len(damaged)) == ("", len(BIG))
    assert damaged != BIG if hub.xet else damaged == flipped(BIG)
    assert ask(hub, tmp_path / "second", fetch, "a.bin") == ["", BIG.hex()]


def test_a_download_that_is_cut_or_refused_once(hub: Loopback, tmp_path: Path) -> None:
    hub.put(PATH, {"a.bin": BIG})
    fault = Drop() if hub.xet else Truncate(1_000_000)
    hub.fail("GET", "/files/|/xet-read-token/", 1, fault)
    assert ask(hub, tmp_path, fetch, "a.bin") == ["", BIG.hex()]
    statuses = [call.status for call in hub.calls("xet_read_token" if hub.xet else "cdn_get")]
    assert statuses == ([0, 200] if hub.xet else [200, 200])


def push_twice() -> list[str]:
    return [push("a.bin", "first"), push("a.bin", "other")]


def test_bytes_really_sent(hub: Loopback, tmp_path: Path) -> None:
    hub.create(PATH)
    hub.fail("PUT", "/upload/", 1, Status(500))
    hub.fail("GET", "/xet-write-token/", 1, 503)
    assert ask(hub, tmp_path, push_twice) == ["", ""]
    assert hub.read(PATH) == {"a.bin": b"other" + BIG[5:]}
    if hub.xet:
        assert len(BIG) < hub.xet_received() < 1.2 * len(BIG)  # the second time only what is around the change
        assert (hub.received("lfs_put"), hub.sent("cdn_get")) == (0, 0)
    else:
        assert [call.status for call in hub.calls("lfs_put")] == [500, 200, 200]
        assert hub.received("lfs_put") == 3 * len(BIG)
        assert hub.count("lfs_verify") == 2


def test_lfs_in_parts(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    hub.create(PATH)
    hub.state.part = 800_000
    assert ask(hub, tmp_path, push, "a.bin", "x") == ""
    assert hub.read(PATH) == {"a.bin": b"x" + BIG[1:]}
    assert sorted(call.received for call in hub.calls("lfs_put_part")) == [400_000, 800_000, 800_000]


def refuse() -> dict[str, Any]:
    return {"refused": push("a.bin", "x"), "repo": raised(lambda: snapshot_download(PATH))}


def test_an_upload_that_is_refused(hub: Loopback, tmp_path: Path) -> None:
    hub.create(PATH)
    hub.fail("PUT|GET", "/upload/|/xet-write-token/", 9, 403)
    told = ask(hub, tmp_path, refuse)
    assert told == {"refused": "ConnectionError" if hub.xet else "RuntimeError", "repo": ""}
    assert hub.read(PATH) == {}


@pytest.mark.parametrize("writes", ["lfs", "xet"])
def test_what_one_way_wrote_the_other_reads(writes: str, plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    hub.create(PATH)
    assert ask(hub, tmp_path / "writer", push, "a.bin", "x", xet=writes == "xet") == ""
    assert ask(hub, tmp_path / "reader", fetch, "a.bin", xet=writes != "xet") == ["", (b"x" + BIG[1:]).hex()]
    assert hub.sent("cdn_get") == len(BIG)
