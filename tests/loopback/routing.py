"""Which function answers a request, and whether it may be asked."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar
from urllib.parse import unquote

from tests.loopback.accounts import Account
from tests.loopback.messages import Refusal, Reply, Request
from tests.loopback.state import State
from tests.loopback.store import Kind, Repo

Access = Literal["none", "see", "fetch", "change"]
"""What a route needs of a repository: nothing, to know that it is there, its files, or to write to it."""

Function = TypeVar("Function", bound=Callable[..., Reply])

PARTS = {
    "{kind}": r"(?P<kind>model|dataset)s",
    "{prefix}": r"(?:(?P<kind>dataset)s/)?",
    "{repo}": r"(?P<repo>[^/]+/[^/]+?)",
    "{path}": r"(?P<path>.+)",
}
REPOSITORY = re.compile(r"/api/(models|datasets)/.+|.+/resolve/.+")


@dataclass(frozen=True)
class Route:
    """Requests of one shape, and the function that answers them.

    Args:
        method: Their method.
        pattern: Their path.
        access: What they need of the repository in it.
        function: Gets the state, the request, the repository if there is one, and what else is in the path.
    """

    method: str
    pattern: re.Pattern[str]
    access: Access
    function: Callable[..., Reply]

    @property
    def name(self) -> str:
        """What it is counted under."""
        return self.function.__name__


ROUTES: list[Route] = []


def route(method: str, template: str, access: Access = "none") -> Callable[[Function], Function]:
    """Has a function answer requests with a path such as `/api/{kind}/{repo}/refs`."""

    def register(function: Function) -> Function:
        parts = re.split(r"(\{\w+\})", template)
        pattern = "".join(
            PARTS.get(part) or (rf"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part))
            for part in parts
        )
        ROUTES.append(Route(method, re.compile(pattern), access, function))
        return function

    return register


@dataclass(frozen=True)
class Match:
    """A route, and what stands in the path of a request that is one of its."""

    route: Route
    parts: dict[str, str]


def match(method: str, path: str) -> Match | None:
    """The route of a request, if there is one."""
    wanted = "GET" if method == "HEAD" else method
    for route in ROUTES:
        if route.method == wanted and (found := route.pattern.fullmatch(path)):
            return Match(route, {key: unquote(value) for key, value in found.groupdict().items() if value is not None})
    return None


def answer(state: State, request: Request, found: Match | None) -> Reply:
    """What the Hub says to a request."""
    try:
        if found is not None:
            return _call(state, found, replace(request, account=account_of(state, request)))
        if REPOSITORY.fullmatch(request.path):
            raise Refusal(404, "Repository not found", "RepoNotFound")
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")
    except Refusal as refusal:
        return refusal.reply


def _call(state: State, found: Match, request: Request) -> Reply:
    route, parts = found.route, dict(found.parts)
    if "repo" not in parts:
        return route.function(state, request, **parts)
    kind: Kind = "dataset" if parts.pop("kind", "model") == "dataset" else "model"
    name = parts.pop("repo")
    if moved := state.moved.get((kind, name)):
        query = f"?{request.query}" if request.query else ""
        raise Refusal(moved.status, "moved", headers={"Location": request.path.replace(name, moved.name, 1) + query})
    return route.function(state, request, permitted(state, request, kind, name, route.access), **parts)


def account_of(state: State, request: Request) -> Account | None:
    """Whose token a request carries.

    Raises:
        Refusal: It is none that the Hub knows, or it has expired.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    account = state.accounts.known.get(header.removeprefix("Bearer "))
    if account is None:
        raise Refusal(401, "Invalid credentials in Authorization header")
    if account.expired:
        raise Refusal(401, f'User Access Token "{account.name}" is expired')
    return account


def permitted(state: State, request: Request, kind: Kind, name: str, access: Access) -> Repo:
    """A repository, if who asks may do with it what a route does.

    Raises:
        Refusal: There is none, or that is not so. One that is private is as good as none.
    """
    account = request.account
    repo = state.repos.get((kind, name))
    owned = account is not None and account.belongs_to(name.partition("/")[0])
    if repo is None or (repo.private and not owned):
        raise Refusal(404 if account else 401, "Repository not found", "RepoNotFound")
    if access == "change":
        check_writer(request, repo.namespace)
    if access == "fetch" and repo.gated and not owned and (account is None or account.name not in repo.admitted):
        message = f"Access to {kind} {name} is restricted and you are not in the authorized list."
        raise Refusal(403 if account else 401, message, "GatedRepo")
    return repo


def check_writer(request: Request, namespace: str) -> str:
    """The name of who asks, if it may write to a namespace.

    Raises:
        Refusal: It may not.
    """
    account = request.account
    if account is None:
        raise Refusal(401, "Invalid username or password.")
    if account.role != "write":
        raise Refusal(403, "Forbidden: you must use a write token to upload to a repository.")
    if not account.belongs_to(namespace):
        raise Refusal(403, f'You don\'t have the rights to write under the namespace "{namespace}"')
    return account.name
