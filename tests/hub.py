"""A server on this machine that answers as the Hub does, as far as data sets are read from it."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """What is on the server.

    Args:
        endpoint: Its address.
        files: Content by name, of the one data set `acme/pets`.
        commit: Its newest commit, `main` and `v1`.
        asked: Every request so far.
        failing: Status with which every request is answered; 0 is none.
    """

    endpoint: str
    files: dict[str, bytes] = field(default_factory=dict)
    commit: str = COMMIT
    asked: list[str] = field(default_factory=list)
    failing: int = 0

    def answer(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body."""
        self.asked.append(path)
        if self.failing:
            return self.failing, {}, b""
        if found := re.fullmatch(r"/api/datasets/(\w+/\w+)(?:/revision/(\w+))?", path):
            repo, revision = found.groups()
            if repo != "acme/pets":
                return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
            if revision not in (None, "main", "v1", self.commit):
                return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
            told = {"id": repo, "sha": self.commit, "siblings": [{"rfilename": name} for name in self.files]}
            return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()
        if found := re.fullmatch(r"/datasets/acme/pets/resolve/(\w+)/(.+)", path):
            content = self.files.get(found[2])
            headers = {"X-Repo-Commit": self.commit}
            if content is None or found[1] != self.commit:
                return 404, {**headers, "X-Error-Code": "EntryNotFound"}, b""
            return 200, {**headers, "ETag": f'"{sha256(content).hexdigest()}"'}, content
        return 404, {}, b""


@contextmanager
def serving() -> Iterator[Hub]:
    """A server, as long as it is wanted."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            status, headers, content = hub.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
