"""What was asked, and how many bytes that took."""

import re
import threading
from dataclasses import dataclass


@dataclass
class Call:
    """A request and what came of it so far.

    Args:
        method: Its method.
        path: Its path and query, as they were sent.
        route: The name of what answers it, such as `resolve`; empty if nothing does.
        received: Bytes of its body.
        authorized: Whether it carried a token.
        status: The status of the answer; 0 is none.
        sent: Bytes of the answer's body that went out.
    """

    method: str
    path: str
    route: str
    received: int
    authorized: bool
    status: int = 0
    sent: int = 0


class Log:
    """All requests so far, in the order in which they came."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Keeps one."""
        with self._lock:
            self._calls.append(call)

    def calls(self, route: str = "", path: str = "", method: str = "") -> list[Call]:
        """Requests of a route, with a path in which a pattern is found, and with a method; any unless said."""
        with self._lock:
            return [
                call
                for call in self._calls
                if route in ("", call.route) and method in ("", call.method) and re.search(path, call.path)
            ]

    def clear(self) -> None:
        """Forgets them."""
        with self._lock:
            self._calls.clear()
