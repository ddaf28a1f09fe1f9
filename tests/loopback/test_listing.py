"""What the client is told of a repository: trees, pages, history, ranges."""

import json
import random
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.hf_api import RepoFile

from tests.loopback.client import ask
from tests.loopback.faults import Truncate
from tests.loopback.serving import Loopback
from tests.loopback.store import git_oid

BIG = random.Random(1).randbytes(100_000)
FILES: dict[str, bytes | str | None] = {"a.txt": "a", "in/b.txt": "b", "in/deep/c.bin": BIG, "z.txt": "z"}
MIB = 2**20


def look() -> dict[str, Any]:
    api = HfApi()
    tree = list(api.list_repo_tree("acme/pets", recursive=True))
    files = {one.path: one for one in tree if isinstance(one, RepoFile)}
    large = files["in/deep/c.bin"]
    assert large.lfs is not None
    info = api.model_info("acme/pets", files_metadata=True)
    assert info.siblings is not None
    siblings = {one.rfilename: one for one in info.siblings}
    lfs = siblings["in/deep/c.bin"].lfs
    return {
        "paths": [one.path for one in tree],
        "flat": [one.path for one in api.list_repo_tree("acme/pets")],
        "inside": [one.path for one in api.list_repo_tree("acme/pets", "in/deep")],
        "info": [one.path for one in api.get_paths_info("acme/pets", ["in", "z.txt", "none"])],
        "names": api.list_repo_files("acme/pets"),
        "oid": files["a.txt"].blob_id,
        "lfs": [large.lfs.sha256, large.lfs.size, large.size, large.xet_hash is not None],
        "alike": lfs is not None
        and (lfs.sha256, siblings["a.txt"].blob_id) == (large.lfs.sha256, files["a.txt"].blob_id),
        "sha": info.sha,
        "titles": [one.title for one in api.list_repo_commits("acme/pets")],
        "exists": [api.file_exists("acme/pets", "a.txt"), api.file_exists("acme/pets", "b.txt")],
        "revision": api.resolve_revision("acme/pets", revision="v1").resolved,
    }


def test_lists_come_in_pages(hub: Loopback, tmp_path: Path) -> None:
    hub.state.page = 2
    commit = hub.put("acme/pets", FILES)
    hub.tag("acme/pets", "v1", hub.commits("acme/pets")[1].oid)
    told = ask(hub, tmp_path, look)
    assert told["paths"] == [".gitattributes", "a.txt", "in", "in/b.txt", "in/deep", "in/deep/c.bin", "z.txt"]
    assert (told["flat"], told["inside"]) == ([".gitattributes", "a.txt", "in", "z.txt"], ["in/deep/c.bin"])
    assert told["info"] == ["in", "z.txt"]
    assert told["names"] == [".gitattributes", "a.txt", "in/b.txt", "in/deep/c.bin", "z.txt"]
    assert told["oid"] == git_oid(b"a")
    (large,) = (file for file in hub.commits("acme/pets")[0].files.values() if file.sha256)
    assert told["lfs"] == [large.sha256, len(BIG), len(BIG), hub.xet]
    assert told["alike"]
    assert told["sha"] == commit
    assert told["titles"] == ["Put by the test", "initial commit"]
    assert told["exists"] == [True, False]
    assert told["revision"] == hub.commits("acme/pets")[1].oid
    assert hub.count("tree", "recursive=true") == 2 * 4


def asked(url: str, **headers: str) -> tuple[int, bytes, str]:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read(), response.headers.get("Content-Range", "")
    except HTTPError as error:
        with error:
            return error.code, error.read(), error.headers.get("Content-Range", "")


def test_ranges(plain_hub: Loopback) -> None:
    hub = plain_hub
    hub.put("acme/pets", FILES)
    large = f"{hub.endpoint}/acme/pets/resolve/main/in/deep/c.bin"
    assert asked(large) == (200, BIG, "")
    assert asked(large, Range="bytes=10-19") == (206, BIG[10:20], "bytes 10-19/100000")
    assert asked(large, Range="bytes=99990-") == (206, BIG[99990:], "bytes 99990-99999/100000")
    assert asked(large, Range="bytes=-5") == (206, BIG[-5:], "bytes 99995-99999/100000")
    status, body, told = asked(large, Range="bytes=100000-")
    assert (status, told) == (416, "bytes */100000")
    assert "error" in json.loads(body)
    assert asked(f"{hub.endpoint}/acme/pets/resolve/main/a.txt", Range="bytes=0-") == (206, b"a", "bytes 0-0/1")


def resume() -> str:
    path = Path(hf_hub_download("acme/pets", "big.bin"))
    return path.resolve().name  # a blob is named by its digest, as the Hub told it


def test_a_large_download_goes_on_where_it_was_cut(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    content = random.Random(2).randbytes(12 * MIB)
    hub.put("acme/pets", {"big.bin": content})
    hub.fail("GET", "/files/", 1, Truncate(11 * MIB))
    digest = ask(hub, tmp_path, resume)
    first, second = hub.calls("cdn_get")
    assert (first.status, first.sent) == (200, 11 * MIB)
    assert (second.status, second.sent) == (206, 2 * MIB)
    (blob,) = tmp_path.rglob(digest)
    assert blob.read_bytes() == content
