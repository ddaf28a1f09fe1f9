"""What a client asks, and what it is told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from tests.loopback.accounts import Account


@dataclass(frozen=True)
class Request:
    """A request, read whole.

    Args:
        method: Its method.
        path: The path as it was sent, with escapes, without a query.
        query: What follows the question mark.
        headers: The headers, whose names have no case.
        body: The body.
        account: Who asks; None is nobody in particular.
    """

    method: str
    path: str
    query: str
    headers: Message
    body: bytes
    account: Account | None = None

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Refusal: It is none.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise Refusal(400, "the body is not JSON") from None

    def lines(self) -> list[Any]:
        """The body as lines of JSON.

        Raises:
            Refusal: They are none.
        """
        try:
            return [json.loads(line) for line in self.body.splitlines() if line]
        except ValueError:
            raise Refusal(400, "the body is not lines of JSON") from None

    def form(self) -> dict[str, list[str]]:
        """The body as a form."""
        return parse_qs(self.body.decode())

    def asked(self, name: str) -> str:
        """The last value of a name in the query; empty if it is not there."""
        return parse_qs(self.query).get(name, [""])[-1]

    def wants(self, name: str) -> bool:
        """Whether a flag is set in the query."""
        return self.asked(name).lower() in ("true", "1")


@dataclass
class Reply:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The Hub says no.

    Args:
        status: The status.
        message: Why.
        code: What `X-Error-Code` says, by which the client chooses its exception.
        headers: Further headers.
        body: Further keys of the JSON.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.reply = as_json({"error": message, **(body or {})}, status)
        written = message.encode("ascii", "backslashreplace").decode()
        self.reply.headers |= {"X-Error-Message": written, **(headers or {})}
        if code:
            self.reply.headers["X-Error-Code"] = code


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})
