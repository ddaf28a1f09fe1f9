"""The content of files: at the Hub, and of the large ones at the CDN."""

import re
from urllib.parse import quote

from tests.loopback.messages import Refusal, Reply, Request
from tests.loopback.routing import route
from tests.loopback.state import State
from tests.loopback.store import Commit, File, Repo


@route("GET", "/{prefix}{repo}/resolve/{revision}/{path}", "fetch")
def resolve(state: State, request: Request, repo: Repo, revision: str, path: str) -> Reply:
    """The content of a small file, or where that of a large one is."""
    commit = repo.resolve(revision)
    file = commit.files.get(path)
    if file is None:
        raise Refusal(404, "Entry not found", "EntryNotFound", {"X-Repo-Commit": commit.oid})
    if file.sha256:
        return _elsewhere(state, repo, commit, path, file)
    return _content(request, state.blobs[file.key], file.key, {"X-Repo-Commit": commit.oid})


@route("GET", "/files/{digest}")
def cdn_get(state: State, request: Request, digest: str) -> Reply:
    """The content of a large file. An address is as good as a token."""
    if digest not in state.blobs:
        raise Refusal(403, "AccessDenied")
    return _content(request, state.blobs[digest], digest, {})


def _elsewhere(state: State, repo: Repo, commit: Commit, path: str, file: File) -> Reply:
    name = quote(path.rpartition("/")[2])
    headers = {
        "X-Repo-Commit": commit.oid,
        "X-Linked-Etag": f'"{file.sha256}"',
        "X-Linked-Size": str(file.size),
        "Location": f"{state.cdn}/files/{file.sha256}?filename={name}",
    }
    if xet_hash := state.storage.hashes.get(file.sha256):
        token = f"{state.endpoint}/api/{repo.kind}s/{repo.name}/xet-read-token/{commit.oid}"
        headers |= {"X-Xet-Hash": xet_hash, "Link": f'<{token}>; rel="xet-auth"'}
    return Reply(302, b"Found. Redirecting.", headers)


def _content(request: Request, content: bytes, etag: str, headers: dict[str, str]) -> Reply:
    headers = {
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
        **headers,
    }
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", ""))
    if found is None or found[0] == "bytes=-":
        return Reply(200, content, headers)
    size = len(content)
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
    if start > end:
        raise Refusal(416, "The range cannot be satisfied", headers={"Content-Range": f"bytes */{size}"})
    return Reply(206, content[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{size}"})
