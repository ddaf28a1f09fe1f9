"""HTTP, on an address of this machine."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.loopback import routes_commits, routes_files, routes_reading, routes_repos, routes_uploading
from tests.loopback.faults import Corrupt, Drop, Fault, Lost, Stall, Status, Truncate
from tests.loopback.log import Call
from tests.loopback.messages import Reply, Request
from tests.loopback.routing import Match, answer, match
from tests.loopback.state import State
from tests.loopback.xet import flipped

REGISTERED = (routes_repos, routes_reading, routes_files, routes_uploading, routes_commits)
"""Imported, these have registered themselves."""

SLICE = 1 << 16
POLL = 0.01
BODILESS = ("HEAD",)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def _exchange(self) -> None:
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, self.headers, self._body())
        found = match(self.command, path)
        name = found.route.name if found else ""
        call = Call(self.command, self.path, name, len(request.body), "Authorization" in self.headers)
        self.server.state.log.add(call)
        fault = self.server.state.faults.next(self.command, self.path)
        if isinstance(fault, Drop):
            return self._hang_up()
        if isinstance(fault, Status):
            return self._send(call, Reply(fault.status, fault.body, dict(fault.headers)), None)
        reply = self._answer(request, found)
        if isinstance(fault, Lost):
            return self._hang_up()
        if isinstance(fault, Corrupt):
            reply = self._corrupt(reply)
        if isinstance(fault, Stall) and fault.after is None:
            self.server.stopped.wait(fault.seconds)
        self._send(call, reply, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _exchange

    def _answer(self, request: Request, found: Match | None) -> Reply:
        try:
            return answer(self.server.state, request, found)
        except Exception as error:
            self.server.crashes.append(error)
            return Reply(500, repr(error).encode())

    def _corrupt(self, reply: Reply) -> Reply:
        if url := reply.headers.get("X-Xet-Cas-Url"):
            self.server.state.storage.damage(url)
            return reply
        return replace(reply, body=flipped(reply.body))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            parts.append(self._exactly(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionAbortedError("the client went away in the middle of a body")
        return body

    def _send(self, call: Call, reply: Reply, fault: Fault | None) -> None:
        call.status = (
            reply.status
        )  # and bytes are counted before they go, since a client may look as soon as it has them
        self.send_response(reply.status)
        headers = {"X-Request-Id": f"loopback-{next(self.server.numbers)}", "Content-Length": str(len(reply.body))}
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        part = b""
        try:
            self.end_headers()
            for part in () if self.command in BODILESS else self._parts(reply.body, fault):
                call.sent += len(part)
                self.wfile.write(part)
        except ConnectionError:
            call.sent -= len(part)
        if isinstance(fault, Truncate):
            self._hang_up()

    def _parts(self, body: bytes, fault: Fault | None) -> Iterator[bytes]:
        pause = fault.after if isinstance(fault, Stall) else None
        end = fault.bytes if isinstance(fault, Truncate) else len(body)
        first = min(end, pause or 0)
        for start in range(0, first, SLICE):
            yield body[start : min(start + SLICE, first)]
        if isinstance(fault, Stall) and pause is not None:
            self.server.stopped.wait(fault.seconds)
        for start in range(first, end, SLICE):
            yield body[start : min(start + SLICE, end)]

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


class Server(ThreadingHTTPServer):
    """An origin: an address with connections, which it closes when it stops.

    Args:
        host: How clients are told to call this machine.
        state: The Hub behind it.
    """

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, host: str, state: State) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://{host}:{self.server_port}"
        self.state = state
        self.stopped = threading.Event()
        self.crashes: list[BaseException] = []
        self.numbers = count(1)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(POLL,))

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers a connection."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets a connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Takes no notice of clients that went away; all else is a defect."""
        if (error := sys.exception()) is not None and not isinstance(error, OSError):
            self.crashes.append(error)
