"""Who may do what, and what is not there: the client's own exceptions."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download, snapshot_download

from tests.loopback.client import ask, raised
from tests.loopback.serving import Loopback

TOKENS: dict[str, str | bool] = {
    "owner": Loopback.token,
    "reader": Loopback.read_token,
    "stranger": Loopback.stranger_token,
    "nobody": False,
    "unknown": "hf_unknown",
}


def knock() -> dict[str, dict[str, str]]:
    told = {}
    for who, token in TOKENS.items():
        api = HfApi(token=token)
        knocks: dict[str, Callable[[], Any]] = {
            "open": partial(api.repo_info, "acme/open"),
            "private": partial(api.repo_info, "acme/private"),
            "gated": partial(api.repo_info, "acme/gated"),
            "gated file": partial(hf_hub_download, "acme/gated", "a.txt", token=token, force_download=True),
            "write": partial(api.upload_file, path_or_fileobj=who.encode(), path_in_repo="b.txt", repo_id="acme/open"),
            "create": partial(api.create_repo, f"acme/{who}", exist_ok=True),
            "exists": partial(api.create_repo, "acme/open", exist_ok=True),
        }
        told[who] = {name: raised(call) for name, call in knocks.items()}
    return told


def test_who_may_do_what(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    hub.put("acme/open", {"a.txt": "a"})
    hub.create("acme/private", private=True)
    hub.create("acme/gated", gated=True)
    hub.put("acme/gated", {"a.txt": "a"})
    told = ask(hub, tmp_path / "home", knock)
    names = ("open", "private", "gated", "gated file", "write", "create", "exists")
    forbidden, unknown = "HfHubHTTPError 403", "HfHubHTTPError 401"
    hidden = "RepositoryNotFoundError"
    # The client wraps what stops a forced download in a ValueError.
    assert {who: tuple(answers[name] for name in names) for who, answers in told.items()} == {
        "owner": ("", "", "", "", "", "", ""),
        "reader": ("", "", "", "", forbidden, forbidden, ""),
        "stranger": ("", f"{hidden} 404", "", "ValueError", forbidden, forbidden, ""),
        "nobody": ("", f"{hidden} 401", "", "ValueError", unknown, unknown, ""),
        "unknown": (unknown,) * 3 + ("ValueError",) + (unknown,) * 3,
    }
    assert hub.read("acme/open")["b.txt"] == b"owner"


def miss() -> dict[str, str]:
    api = HfApi()
    knocks: dict[str, Callable[[], Any]] = {
        "repo": partial(snapshot_download, "acme/none"),
        "file of no repo": partial(hf_hub_download, "acme/none", "a.txt"),
        "one word": partial(hf_hub_download, "gpt2", "config.json"),
        "other kind": partial(api.repo_info, "acme/pets", repo_type="dataset"),
        "revision": partial(snapshot_download, "acme/pets", revision="v9"),
        "commit": partial(hf_hub_download, "acme/pets", "a.txt", revision="c" * 40),
        "file": partial(hf_hub_download, "acme/pets", "none.txt"),
        "folder": lambda: list(api.list_repo_tree("acme/pets", "none")),
        "branch to write to": partial(
            api.upload_file, path_or_fileobj=b"b", path_in_repo="b", repo_id="acme/pets", revision="none"
        ),
        "gated": partial(hf_hub_download, "acme/gated", "a.txt", token=Loopback.stranger_token),
        "private": partial(snapshot_download, "acme/private", token=False),
        "expired": partial(api.whoami, token=Loopback.read_token),
        "deleted": partial(api.delete_repo, "acme/none"),
        "deleted, if there": partial(api.delete_repo, "acme/none", missing_ok=True),
    }
    return {name: raised(call) for name, call in knocks.items()}


def test_what_is_not_there(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    hub.put("acme/pets", {"a.txt": "a"})
    hub.put("acme/gated", {"a.txt": "a"})
    hub.repo("acme/gated").gated = True
    hub.create("acme/private", private=True)
    hub.state.accounts.expire(hub.read_token)
    no_repo, no_revision = "RepositoryNotFoundError 404", "RevisionNotFoundError 404"
    assert ask(hub, tmp_path, miss) == {
        "repo": no_repo,
        "file of no repo": no_repo,
        "one word": no_repo,
        "other kind": no_repo,
        "revision": no_revision,
        "commit": no_revision,
        "file": "RemoteEntryNotFoundError 404",
        "folder": "RemoteEntryNotFoundError 404",
        "branch to write to": no_revision,
        "gated": "GatedRepoError 403",
        "private": "RepositoryNotFoundError 401",
        "expired": "HfHubHTTPError 401",
        "deleted": no_repo,
        "deleted, if there": "",
    }


def follow(first: str, third: str) -> dict[str, object]:
    api = HfApi()
    told: dict[str, object] = {
        "info": api.repo_info("acme/old").id,
        "file": Path(hf_hub_download("acme/old", "a.txt")).read_text(),
        "first": Path(hf_hub_download("acme/old", "a.txt", revision=first)).read_text(),
        "gone": raised(partial(hf_hub_download, "acme/old", "a.txt", revision=third)),
        "pushed": api.upload_file(path_or_fileobj=b"b", path_in_repo="b.txt", repo_id="acme/old").oid,
    }
    api.move_repo("acme/new", "acme/newer")
    api.update_repo_settings("acme/newer", visibility="private")
    told["newer"] = (api.repo_info("acme/old").id, api.repo_info("acme/newer").private)
    api.delete_repo("acme/newer")
    told["deleted"] = raised(partial(api.repo_info, "acme/newer"))
    return told


def test_repositories_and_branches_that_move(plain_hub: Loopback, tmp_path: Path) -> None:
    hub = plain_hub
    first, _, third = (hub.put("acme/old", {"a.txt": text}) for text in ("first", "second", "third"))
    hub.rename("acme/old", "acme/new")
    hub.branch("acme/new", "main", first)
    second = hub.put("acme/new", {"a.txt": "forced"})
    hub.forget("acme/new", third)
    told = ask(hub, tmp_path, follow, first, third)
    assert (told["info"], told["file"], told["first"]) == ("acme/new", "forced", "first")
    assert told["gone"] == "RevisionNotFoundError 404"
    assert told["newer"] == ["acme/newer", True]
    assert told["deleted"] == "RepositoryNotFoundError 404"
    assert len({first, second, third, told["pushed"]}) == 4
