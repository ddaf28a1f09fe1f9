"""Accounts and repositories: who asks, create, delete, rename, settings."""

from typing import Any

from tests.loopback.messages import Refusal, Reply, Request, as_json
from tests.loopback.routing import check_writer, permitted, route
from tests.loopback.state import State
from tests.loopback.store import Kind, Repo


@route("GET", "/api/whoami-v2")
def whoami(state: State, request: Request) -> Reply:
    """Whose the token is."""
    account = request.account
    if account is None:
        raise Refusal(401, "Invalid username or password.")
    token = {"displayName": "loopback", "role": account.role, "createdAt": "2024-01-01T00:00:00.000Z"}
    return as_json(
        {
            "type": "user",
            "id": account.name,
            "name": account.name,
            "fullname": account.name,
            "isPro": False,
            "orgs": [{"type": "org", "name": name, "roleInOrg": "write"} for name in account.organizations],
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


@route("POST", "/api/validate-yaml")
def validate_yaml(state: State, request: Request) -> Reply:
    """Finds no fault with any card; a rule of `hub.fail` can."""
    request.json()
    return as_json({"errors": [], "warnings": []})


@route("POST", "/api/repos/create")
def create_repo(state: State, request: Request) -> Reply:
    """A new repository; 409, with its address, if it is there already."""
    asked = request.json()
    kind, name = _named(request, asked)
    check_writer(request, name.partition("/")[0])
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    with state.lock:
        if exists := state.repos.get((kind, name)):
            url = f"{state.endpoint}/{exists.address}"
            raise Refusal(409, f"You already created this {kind} repo: {name}", body={"url": url})
        repo = state.create(kind, name, private=private)
    return as_json({"url": f"{state.endpoint}/{repo.address}", "name": name, "id": name})


@route("DELETE", "/api/repos/delete")
def delete_repo(state: State, request: Request) -> Reply:
    """Deletes a repository."""
    kind, name = _named(request, request.json())
    permitted(state, request, kind, name, "change")
    del state.repos[kind, name]
    return Reply(body=b"OK")


@route("POST", "/api/repos/move")
def move_repo(state: State, request: Request) -> Reply:
    """Gives a repository another name."""
    asked = request.json()
    kind = _kind(asked)
    permitted(state, request, kind, asked["fromRepo"], "change")
    check_writer(request, asked["toRepo"].partition("/")[0])
    state.move(kind, asked["fromRepo"], asked["toRepo"])
    return Reply(body=b"OK")


@route("PUT", "/api/{kind}/{repo}/settings", "change")
def settings(state: State, request: Request, repo: Repo) -> Reply:
    """Makes a repository private or public, gated or not."""
    asked = request.json()
    if "visibility" in asked or "private" in asked:
        repo.private = asked.get("visibility") == "private" or bool(asked.get("private"))
    if "gated" in asked:
        repo.gated = bool(asked["gated"])
    return as_json({"private": repo.private, "gated": repo.gated})


@route("GET", "/api/{kind}/{repo}/auth-check", "fetch")
def auth_check(state: State, request: Request, repo: Repo) -> Reply:
    """Whether who asks may fetch its files."""
    return Reply(body=b"OK")


@route("GET", "/api/{kind}/{repo}/auth-check/write", "change")
def auth_check_write(state: State, request: Request, repo: Repo) -> Reply:
    """Whether who asks may write to it."""
    return Reply(body=b"OK")


def _named(request: Request, asked: dict[str, Any]) -> tuple[Kind, str]:
    owner = asked.get("organization") or (request.account.name if request.account else "")
    return _kind(asked), f"{owner}/{asked['name']}"


def _kind(asked: dict[str, Any]) -> Kind:
    kinds: dict[str | None, Kind] = {None: "model", "model": "model", "dataset": "dataset"}
    if (kind := kinds.get(asked.get("type"))) is None:
        raise Refusal(400, f"this Hub has no repositories of type {asked['type']}")
    return kind
