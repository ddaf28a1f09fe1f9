"""What is in a repository: its facts, trees, history, branches and tags."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.loopback.messages import Refusal, Reply, Request, as_json
from tests.loopback.routing import route
from tests.loopback.state import State
from tests.loopback.store import MAIN, Commit, File, Repo, folders, pointer


@route("GET", "/api/{kind}/{repo}", "see")
def info(state: State, request: Request, repo: Repo) -> Reply:
    """Facts about a repository, and the files of its main branch."""
    return as_json(_facts(repo, repo.resolve(MAIN), blobs=request.wants("blobs")))


@route("GET", "/api/{kind}/{repo}/revision/{revision}", "see")
def info_of_revision(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """The same of a revision."""
    return as_json(_facts(repo, repo.resolve(revision), blobs=request.wants("blobs")))


@route("GET", "/api/{kind}/{repo}/tree/{revision}", "see")
def tree(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """Files and folders of a revision."""
    return _listing(state, request, repo.resolve(revision), "")


@route("GET", "/api/{kind}/{repo}/tree/{revision}/{path}", "see")
def tree_of_folder(state: State, request: Request, repo: Repo, revision: str, path: str) -> Reply:
    """Files and folders in a folder of a revision."""
    commit = repo.resolve(revision)
    if path.rstrip("/") not in folders(commit.files):
        raise Refusal(404, f"{path} does not exist on {revision}", "EntryNotFound", {"X-Repo-Commit": commit.oid})
    return _listing(state, request, commit, path.rstrip("/") + "/")


@route("POST", "/api/{kind}/{repo}/paths-info/{revision}", "see")
def paths_info(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """Files and folders with certain paths; those that are not there are left out."""
    commit = repo.resolve(revision)
    found = _entries(state, commit)
    asked = [path.rstrip("/") for path in request.form().get("paths", [])]
    return as_json([found[path] for path in asked if path in found])


@route("GET", "/api/{kind}/{repo}/refs", "see")
def refs(state: State, request: Request, repo: Repo) -> Reply:
    """Branches and tags."""

    def listed(kind: str, names: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in names.items()]

    found: dict[str, Any] = {"branches": listed("heads", repo.branches), "tags": listed("tags", repo.tags)}
    return as_json({**found, "converts": [], "pullRequests": []})


@route("GET", "/api/{kind}/{repo}/commits/{revision}", "see")
def commits(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """A commit and those that it came from, newest first."""
    told = [
        {
            "id": commit.oid,
            "title": commit.title,
            "message": commit.message,
            "date": _written(commit.date),
            "authors": [{"user": commit.author, "avatar": ""}],
        }
        for commit in repo.history(revision)
    ]
    return _page(state, request, told)


def _facts(repo: Repo, commit: Commit, *, blobs: bool) -> dict[str, Any]:
    return {
        "_id": repo.name,
        "id": repo.name,
        "author": repo.namespace,
        "sha": commit.oid,
        "private": repo.private,
        "gated": "manual" if repo.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "createdAt": _written(repo.history(MAIN)[-1].date),
        "lastModified": _written(commit.date),
        "siblings": [_sibling(path, file, blobs=blobs) for path, file in sorted(commit.files.items())],
    }


def _sibling(path: str, file: File, *, blobs: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"rfilename": path}
    if blobs:
        told |= {"size": file.size, "blobId": file.oid}
        if file.sha256:
            told["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": _pointer_size(file)}
    return told


def _listing(state: State, request: Request, commit: Commit, start: str) -> Reply:
    found = [
        entry
        for path, entry in _entries(state, commit).items()
        if path.startswith(start) and (request.wants("recursive") or "/" not in path[len(start) :])
    ]
    return _page(state, request, found)


def _entries(state: State, commit: Commit) -> dict[str, dict[str, Any]]:
    """Files and folders by their paths, in order."""
    found: dict[str, dict[str, Any]] = {
        path: {"type": "directory", "oid": oid, "size": 0, "path": path} for path, oid in folders(commit.files).items()
    }
    for path, file in commit.files.items():
        found[path] = {"type": "file", "oid": file.oid, "size": file.size, "path": path}
        if file.sha256:
            found[path]["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": _pointer_size(file)}
        if xet_hash := state.storage.hashes.get(file.sha256):
            found[path]["xetHash"] = xet_hash
    return dict(sorted(found.items()))


def _page(state: State, request: Request, entries: Sequence[Any]) -> Reply:
    start = int(request.asked("cursor") or 0)
    headers = {}
    if start + state.page < len(entries):
        query = urlencode({**dict(parse_qsl(request.query)), "cursor": start + state.page})
        headers["Link"] = f'<{state.endpoint}{request.path}?{query}>; rel="next"'
    return as_json(entries[start : start + state.page], headers=headers)


def _pointer_size(file: File) -> int:
    return len(pointer(file.sha256, file.size))


def _written(date: datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%S.000Z")
