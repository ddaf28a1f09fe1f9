"""Changing a repository: commits, branches, tags."""

import base64
from collections.abc import Iterator
from typing import Any

from tests.loopback.messages import Refusal, Reply, Request, as_json
from tests.loopback.routing import route
from tests.loopback.state import State
from tests.loopback.store import MAIN, Change, Repo, large


@route("POST", "/api/{kind}/{repo}/commit/{revision}", "change")
def commit(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """Changes to a branch, all of them or none; 412 if it has moved since."""
    if request.asked("create_pr"):
        raise Refusal(400, "this Hub has no pull requests")
    lines = request.lines()
    header = next((line["value"] for line in lines if line["key"] == "header"), None)
    if header is None:
        raise Refusal(400, "a commit needs a header")
    parent = header.get("parentCommit")
    with repo.lock:
        repo.check_parent(revision, parent)
        state.receive(line["value"]["oid"] for line in lines if line["key"] == "lfsFile")
        made = repo.commit(
            list(_changes(state, lines)),
            header["summary"],
            branch=revision,
            message=header.get("description", ""),
            author=request.account.name if request.account else "",
            parent=parent,
        )
    url = f"{state.endpoint}/{repo.address}/commit/{made.oid}"
    return as_json({"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})


def _changes(state: State, lines: list[dict[str, Any]]) -> Iterator[Change]:
    for line in lines:
        key, value = line["key"], line["value"]
        if key == "header":
            continue
        path = value["path"]
        if path.startswith("/") or ".." in path.split("/"):
            raise Refusal(400, f"Invalid path: {path}")
        if key == "file":
            yield Change(path, state.keep(base64.b64decode(value["content"])))
        elif key == "lfsFile":
            digest = value["oid"]
            if digest not in state.blobs:
                raise Refusal(400, f"Your push was rejected: the LFS pointer {digest} points to no file")
            yield Change(path, large(digest, len(state.blobs[digest])))
        elif key in ("deletedFile", "deletedFolder"):
            yield Change(path, None, folder=key == "deletedFolder")
        else:
            raise Refusal(400, f"this Hub knows no operation `{key}`")


@route("POST", "/api/{kind}/{repo}/branch/{branch}", "change")
def create_branch(state: State, request: Request, repo: Repo, branch: str) -> Reply:
    """A new branch."""
    start = repo.resolve(request.json().get("startingPoint") or MAIN).oid
    _new(repo, repo.branches, branch, start)
    return Reply()


@route("DELETE", "/api/{kind}/{repo}/branch/{branch}", "change")
def delete_branch(state: State, request: Request, repo: Repo, branch: str) -> Reply:
    """Deletes a branch, but for main."""
    if branch == MAIN:
        raise Refusal(403, "The branch main cannot be deleted")
    _delete(repo, repo.branches, branch)
    return Reply()


@route("POST", "/api/{kind}/{repo}/tag/{revision}", "change")
def create_tag(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """A new tag."""
    _new(repo, repo.tags, request.json()["tag"], repo.resolve(revision).oid)
    return Reply()


@route("DELETE", "/api/{kind}/{repo}/tag/{tag}", "change")
def delete_tag(state: State, request: Request, repo: Repo, tag: str) -> Reply:
    """Deletes a tag."""
    _delete(repo, repo.tags, tag)
    return Reply()


def _new(repo: Repo, names: dict[str, str], name: str, oid: str) -> None:
    with repo.lock:
        if name in names:
            raise Refusal(409, f"Reference already exists: {name}")
        names[name] = oid


def _delete(repo: Repo, names: dict[str, str], name: str) -> None:
    with repo.lock:
        if names.pop(name, None) is None:
            raise Refusal(404, f"Invalid rev id: {name}", "RevisionNotFound")
