"""Getting content to the Hub before a commit names it: what is large, LFS, and the tokens of xet."""

import base64
import time
from collections.abc import Iterable
from fnmatch import fnmatch
from hashlib import sha256
from typing import Any

from tests.loopback.messages import Refusal, Reply, Request, as_json
from tests.loopback.routing import route
from tests.loopback.state import State
from tests.loopback.store import Repo

TOKEN_LIFE = 3600


@route("POST", "/api/{kind}/{repo}/preupload/{revision}", "change")
def preupload(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """Which files are large, which are ignored, and what is there now in their place."""
    asked = request.json()
    present = repo.resolve(revision).files
    ignored = [line.strip() for line in asked.get("gitIgnore", "").splitlines()]
    ignored = [line for line in ignored if line and not line.startswith("#")]

    def told(path: str, size: int, sample: str) -> dict[str, Any]:
        is_large = state.is_large(repo, path, size, base64.b64decode(sample), revision)
        file = present.get(path)
        return {
            "path": path,
            "uploadMode": "lfs" if is_large else "regular",
            "shouldIgnore": _is_ignored(path, ignored),
            **({"oid": file.key} if file else {}),
        }

    return as_json({"files": [told(one["path"], one["size"], one["sample"]) for one in asked["files"]]})


@route("POST", "/{prefix}{repo}.git/info/lfs/objects/batch", "change")
def lfs_batch(state: State, request: Request, repo: Repo) -> Reply:
    """Where to put large files that are not here yet."""
    asked = request.json()
    if asked.get("operation") != "upload":
        raise Refusal(400, "this Hub takes LFS files only; they are fetched from /resolve")
    objects = [_instructions(state, repo, one["oid"], one["size"]) for one in asked["objects"]]
    return as_json({"transfer": "basic", "objects": objects})


def _instructions(state: State, repo: Repo, digest: str, size: int) -> dict[str, Any]:
    told: dict[str, Any] = {"oid": digest, "size": size}
    if digest in state.blobs:
        return told
    put = f"{state.cdn}/upload/{digest}"
    upload: dict[str, Any] = {"href": put}
    if state.part and size > state.part:
        numbers = range(1, -(-size // state.part) + 1)
        header = {"chunk_size": str(state.part), **{str(number): f"{put}/{number}" for number in numbers}}
        upload = {"href": f"{state.endpoint}/lfs/complete/{digest}", "header": header}
    verify = {"href": f"{state.endpoint}/{repo.address}.git/info/lfs/objects/verify"}
    return {**told, "actions": {"upload": upload, "verify": verify}}


@route("PUT", "/upload/{digest}")
def lfs_put(state: State, request: Request, digest: str) -> Reply:
    """Takes a large file."""
    _keep(state, digest, request.body)
    return Reply()


@route("PUT", "/upload/{digest}/{number}")
def lfs_put_part(state: State, request: Request, digest: str, number: str) -> Reply:
    """Takes a part of a large file."""
    state.parts[digest, int(number)] = request.body
    return Reply(headers={"ETag": f'"{sha256(request.body).hexdigest()}"'})


@route("POST", "/lfs/complete/{digest}")
def lfs_complete(state: State, request: Request, digest: str) -> Reply:
    """Makes a large file of its parts."""
    numbers = [part["partNumber"] for part in request.json()["parts"]]
    if any((digest, number) not in state.parts for number in numbers):
        raise Refusal(400, "a part is missing")
    _keep(state, digest, b"".join(state.parts.pop((digest, number)) for number in numbers))
    return Reply()


@route("POST", "/{prefix}{repo}.git/info/lfs/objects/verify", "change")
def lfs_verify(state: State, request: Request, repo: Repo) -> Reply:
    """Whether a large file has arrived."""
    asked = request.json()
    if len(state.blobs.get(asked["oid"], b"")) != asked["size"]:
        raise Refusal(404, "the object is not there")
    return Reply()


@route("GET", "/api/{kind}/{repo}/xet-read-token/{revision}", "fetch")
def xet_read_token(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """A folder for hf_xet to read from."""
    repo.resolve(revision)
    return _token(state, write=False)


@route("GET", "/api/{kind}/{repo}/xet-write-token/{revision}", "change")
def xet_write_token(state: State, request: Request, repo: Repo, revision: str) -> Reply:
    """A folder for hf_xet to write to."""
    repo.resolve(revision)
    return _token(state, write=True)


def _token(state: State, *, write: bool) -> Reply:
    url, token, end = state.storage.lease(write=write), "xet-token", int(time.time()) + TOKEN_LIFE
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(end)}
    return as_json({"casUrl": url, "accessToken": token, "exp": end}, headers=headers)


def _keep(state: State, digest: str, content: bytes) -> None:
    if sha256(content).hexdigest() != digest:
        raise Refusal(400, "BadDigest: the content is not what its name says")
    state.blobs[digest] = content


def _is_ignored(path: str, patterns: Iterable[str]) -> bool:
    parts = path.split("/")
    starts = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(
        fnmatch(name, pattern.strip("/")) for pattern in patterns for name in (*starts, *parts) if pattern.strip("/")
    )
