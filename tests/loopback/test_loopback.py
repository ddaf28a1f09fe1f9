"""The real client pushes to the Hub of the tests, and fetches from it."""

import random
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download, snapshot_download

from tests.loopback.client import ask, raised
from tests.loopback.serving import Loopback

SMALL = b'{"model": "tiny"}'
BIG = random.Random(0).randbytes(300_000)
FILES = {
    "config.json": SMALL,
    "model.safetensors": BIG,
    "deep/er/weights.bin": BIG[::-1],
    "empty.txt": b"",
    "zoë 1.txt": b"z",
}
REPOS = ("acme/pets", "datasets/acme/pets")
KINDS = ("model", "dataset")


def write(folder: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def operations(folder: str) -> list[CommitOperationAdd]:
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in paths]


def push_both(folder: str) -> list[dict[str, Any]]:
    return [push(kind, folder) for kind in KINDS]


def push(kind: str, folder: str) -> dict[str, Any]:
    api = HfApi()
    url = api.create_repo("acme/pets", repo_type=kind)
    told: dict[str, Any] = {"url": str(url), "name": api.whoami()["name"]}
    told["exists"] = raised(lambda: api.create_repo("acme/pets", repo_type=kind))
    told["exist_ok"] = str(api.create_repo("acme/pets", repo_type=kind, exist_ok=True))
    first = api.create_commit("acme/pets", operations(folder), commit_message="first", repo_type=kind)
    again = api.create_commit("acme/pets", operations(folder), commit_message="again", repo_type=kind)
    return {**told, "oid": first.oid, "again": again.oid, "commit_url": first.commit_url}


def test_create_and_commit(hub: Loopback, tmp_path: Path) -> None:
    answers = ask(hub, tmp_path / "home", push_both, write(tmp_path / "files", FILES))
    for repo, told in zip(REPOS, answers, strict=True):
        assert told["url"] == told["exist_ok"] == f"{hub.endpoint}/{repo}"
        assert (told["name"], told["exists"]) == ("ann", "HfHubHTTPError 409")
        assert told["oid"] == told["again"] == hub.tip(repo)
        assert told["commit_url"] == f"{hub.endpoint}/{repo}/commit/{told['oid']}"
        assert hub.read(repo) == FILES
        assert [commit.title for commit in hub.commits(repo)] == ["first", "initial commit"]
    sent = hub.xet_received() if hub.xet else hub.received("lfs_put")
    assert 2 * len(BIG) <= sent < 2.1 * len(BIG)
    assert (hub.count("lfs_batch") > 0) == (not hub.xet)
    assert (hub.count("xet_write_token") > 0) == hub.xet


def fetch_both(commits: list[str]) -> list[dict[str, Any]]:
    return [fetch(kind, commit) for kind, commit in zip(KINDS, commits, strict=True)]


def fetch(kind: str, commit: str) -> dict[str, Any]:
    def files(**options: Any) -> dict[str, str]:
        folder = Path(snapshot_download("acme/pets", repo_type=kind, **options))
        assert options or folder.name == commit
        found = [path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts]
        return {path.relative_to(folder).as_posix(): path.read_bytes().hex() for path in found}

    main = files()
    alike = [files(revision=name) == main for name in ("v1", commit)]
    one = Path(hf_hub_download("acme/pets", "model.safetensors", repo_type=kind, revision="v1")).read_bytes()
    fresh = hf_hub_download("acme/pets", "config.json", repo_type=kind, force_download=True)
    return {"main": main, "alike": alike, "one": one.hex(), "fresh": Path(fresh).read_text()}


def test_fetch(hub: Loopback, tmp_path: Path) -> None:
    commits = [hub.put(repo, FILES) for repo in REPOS]
    for repo in REPOS:
        hub.tag(repo, "v1")
    for told in ask(hub, tmp_path / "home", fetch_both, commits):
        told["main"].pop(".gitattributes")
        assert {name: bytes.fromhex(content) for name, content in told["main"].items()} == FILES
        assert told["alike"] == [True, True]
        assert (bytes.fromhex(told["one"]), told["fresh"].encode()) == (BIG, SMALL)
    assert hub.sent("cdn_get") == (0 if hub.xet else 4 * len(BIG))
    assert not any(call.authorized for call in hub.calls("cdn_get"))
    assert all(call.authorized for call in hub.calls("resolve"))


def edit(parent: str) -> dict[str, Any]:
    api = HfApi()
    change: list[CommitOperationAdd | CommitOperationDelete] = [CommitOperationAdd("config.json", b"{}")]
    change.append(CommitOperationDelete("deep/"))
    made = api.create_commit("acme/pets", change, commit_message="change", parent_commit=parent)
    late = [CommitOperationAdd("config.json", b"[]"), CommitOperationAdd("new.bin", BIG[:5000])]
    stale = raised(lambda: api.create_commit("acme/pets", late, commit_message="late", parent_commit=parent))
    short = api.create_commit("acme/pets", late[:1], commit_message="short", parent_commit=made.oid[:8])
    gone = raised(lambda: api.delete_file("nönë.txt", "acme/pets"))
    listed = [commit.title for commit in api.list_repo_commits("acme/pets")]
    return {"made": made.oid, "stale": stale, "short": short.oid, "gone": gone, "listed": listed}


def test_a_commit_has_a_parent(hub: Loopback, tmp_path: Path) -> None:
    told = ask(hub, tmp_path, edit, hub.put("acme/pets", FILES))
    assert told["stale"] == "HfHubHTTPError 412"
    assert told["gone"] == "RemoteEntryNotFoundError 404"
    left = {name: content for name, content in FILES.items() if not name.startswith("deep/")}
    assert hub.read("acme/pets", told["made"]) == {**left, "config.json": b"{}"}
    assert hub.tip("acme/pets") == told["short"]
    assert told["listed"] == ["short", "change", "Put by the test", "initial commit"]
    assert "new.bin" not in hub.read("acme/pets")


def upload(folder: str) -> list[str]:
    api = HfApi()
    api.create_repo("acme/pets")
    return [api.upload_folder(folder_path=folder, repo_id="acme/pets").oid for _ in range(2)]


def test_upload_a_folder(hub: Loopback, tmp_path: Path) -> None:
    first, again = ask(hub, tmp_path / "home", upload, write(tmp_path / "files", FILES))
    assert first == again == hub.tip("acme/pets")
    assert hub.read("acme/pets") == FILES
    assert hub.count("commit") == 1


def snatch() -> str:
    return raised(lambda: snapshot_download("acme/pets"))


def test_the_client_refuses_paths_that_lead_out_of_its_folder(plain_hub: Loopback, tmp_path: Path) -> None:
    plain_hub.put("acme/pets", {"../evil.txt": "evil"})
    assert ask(plain_hub, tmp_path, snatch) == "ValueError"
    assert not list(tmp_path.rglob("evil.txt"))


def refer(first: str) -> dict[str, Any]:
    api = HfApi()
    api.create_tag("acme/pets", tag="v1", revision=first)
    api.create_branch("acme/pets", branch="side/way", revision="v1")
    api.upload_file(path_or_fileobj=b"on a branch", path_in_repo="a.txt", repo_id="acme/pets", revision="side/way")
    twice = raised(lambda: api.create_tag("acme/pets", tag="v1"))
    api.create_tag("acme/pets", tag="v1", exist_ok=True)
    api.create_branch("acme/pets", branch="side/way", exist_ok=True)
    text = Path(hf_hub_download("acme/pets", "a.txt", revision="side/way")).read_text()
    refs = api.list_repo_refs("acme/pets")
    told = {"twice": twice, "text": text, "branches": {one.name: one.target_commit for one in refs.branches}}
    told["tags"] = {one.name: one.target_commit for one in refs.tags}
    api.delete_tag("acme/pets", tag="v1")
    api.delete_branch("acme/pets", branch="side/way")
    told["again"] = raised(lambda: api.delete_tag("acme/pets", tag="v1"))
    told["main"] = raised(lambda: api.delete_branch("acme/pets", branch="main"))
    return told


def test_branches_and_tags(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    first = hub.put("acme/pets", {"a.txt": "first"})
    second = hub.put("acme/pets", {"a.txt": "second"})
    told = ask(hub, tmp_path, refer, first)
    assert (told["twice"], told["text"]) == ("HfHubHTTPError 409", "on a branch")
    assert told["tags"] == {"v1": first}
    assert told["branches"].keys() == {"main", "side/way"}
    assert told["branches"]["main"] == second == hub.tip("acme/pets")
    assert (told["again"], told["main"]) == ("RevisionNotFoundError 404", "HfHubHTTPError 403")
    assert hub.repo("acme/pets").branches == {"main": second}
