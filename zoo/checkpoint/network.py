"""Requests to the Hub that end: time limits for each, a few tries, and no longer wait than a person would."""

import json
import random
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from zoo.errors import NetworkError, UsageError, ZooError

CONNECT, READ = 10.0, 60.0
"""Seconds to reach a server, and in which it must send or take something."""

LONGEST_WAIT = 60
"""Seconds that a server may ask to wait before another try; what asks for more is answered after these."""

TRIES = 12
"""How often something is asked for, at most. Where a fifth of all requests fail, a commit, which takes two that nobody
else tries again, fails three times in ten; of 30 pushes and pulls all come through, but once in more than 10,000."""

DEADLINE = 300
"""Seconds after the first failure after which nothing is tried again."""

FIRST_WAIT, LONGEST_PAUSE = 0.5, 5.0
"""Seconds before the second try, twice as many before each further one, and no more than these: 43 s in all."""

AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Statuses after which the same request may succeed."""

Found = TypeVar("Found")


@cache
def bounded() -> None:
    """Gives huggingface_hub's client time limits, which it has not, and caps the waits that servers ask for."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    default = _http.default_client_factory
    if _http._GLOBAL_CLIENT_FACTORY is not default:  # somebody's own, with a proxy or certificates
        return

    def client() -> Any:
        made = default()
        made.event_hooks["request"].append(_limit)
        made.event_hooks["response"].append(_cap_wait)
        return made

    set_client_factory(client)


def patiently(call: Callable[[], Found], what: str, tries: int = TRIES) -> Found:
    """What a call gives, tried again where a server is busy or a connection breaks.

    Args:
        call: The request, which does no harm if it is made twice.
        what: What it is for, for messages.
        tries: How many.

    Raises:
        NetworkError: It failed every time.
        Exception: What the call raises for any other reason.
    """
    bounded()
    failed = None
    for number in range(1, tries + 1):
        try:
            return call()
        except Exception as error:
            if not passing(error):
                raise
            failed = failed or time.monotonic()  # not since the start: a large file may take longer than that
            late = time.monotonic() - failed > DEADLINE
            if number == tries or late or (number == 2 and _hopeless(error)):
                raise NetworkError(f"{what}: {_told(error, number)}") from None
            time.sleep(_wait_of(error, min(FIRST_WAIT * 2 ** (number - 1), LONGEST_PAUSE)))
    raise AssertionError("the last try ends the loop")


def passing(error: Exception) -> bool:
    """Whether the same request may succeed later: a busy server, a connection that broke."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return False
    if isinstance(error, json.JSONDecodeError):  # a reply that was cut, or that of something else than a Hub
        return True
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, (LocalEntryNotFoundError, RuntimeError)):  # what it is raised for stands behind it
        cause = error.__cause__
        return isinstance(cause, Exception) and cause is not error and passing(cause)
    if isinstance(error, HfHubHTTPError) and status is not None:
        return status in AGAIN
    return isinstance(error, _client().TransportError)


def _hopeless(error: Exception) -> bool:
    """Whether nobody answered at all, as without a network, or something that is no Hub: a third try is as hopeless."""
    return isinstance(error, (_client().ConnectError, _client().ConnectTimeout, json.JSONDecodeError))


def _client() -> Any:
    """The package that huggingface_hub makes requests with: httpx, httpx2 since its version 2."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # the client's

    return import_module(HTTPError.__module__.partition(".")[0])


def _wait_of(error: Exception, otherwise: float) -> float:
    """Seconds to wait after a failure: what the server asks for, within bounds; else a random time about that given."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("retry-after", ""))
    if asked.isdigit():
        return min(int(asked), LONGEST_WAIT)
    return otherwise * random.uniform(0.75, 1.25)


def refusal(error: Exception, what: str) -> ZooError | None:
    """What to say where a server does not let somebody in; None where it is something else. A token is never told.

    Args:
        error: What was raised.
        what: What was asked for, for messages.
    """
    from huggingface_hub.errors import GatedRepoError

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, GatedRepoError):
        return UsageError(
            f"{what} is open to those alone who were let in: ask for access on its page, and set HF_TOKEN"
        )
    if status == 401:
        return UsageError(f"{what}: the Hub does not know the token; set HF_TOKEN, or run `hf auth login`")
    if status == 403:
        return UsageError(f"{what}: the token may not do that; one with more rights may")
    return None


def first_line(error: Exception) -> str:
    """What an error says first."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def no_hub(error: Exception) -> str:
    """In words that what answered is no Hub, as a page to log in is; "" where it may be one.

    Args:
        error: What was raised.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import FileMetadataError

    strange = (json.JSONDecodeError, FileMetadataError, _client().TooManyRedirects)
    if isinstance(error, strange) or isinstance(error.__cause__, strange):
        return f"{constants.ENDPOINT} does not look like a Hub: it answers something else; look at HF_ENDPOINT"
    return ""


def _told(error: Exception, tries: int) -> str:
    return no_hub(error) or f"{tries} tries failed, the last with {first_line(error)}"


def _limit(request: Any) -> None:
    """Gives a request time limits where it has none: some calls of the client ask for none of their own."""
    asked = request.extensions.get("timeout") or {}
    limits = {"connect": CONNECT, "read": READ, "write": READ, "pool": READ}
    given = {key: value for key, value in asked.items() if value is not None}
    request.extensions = {**request.extensions, "timeout": {**limits, **given}}


def _cap_wait(response: Any) -> None:
    asked = response.headers.get("retry-after", "")
    if asked.isdigit() and int(asked) > LONGEST_WAIT:
        response.headers["retry-after"] = str(LONGEST_WAIT)
    if "ratelimit" in response.headers:  # which the client would wait for without any bound
        del response.headers["ratelimit"]
