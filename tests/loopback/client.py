"""Runs a function in a process of its own, whose clients speak to a Hub of `serving`.

The function is one of a module's own; its arguments and what it returns go through JSON. That process is
`python -m tests.loopback.client MODULE FUNCTION`.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.loopback.accounts import WRITE
from tests.loopback.serving import Loopback

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 300
MARK = "\0told "


def ask(
    hub: Loopback,
    home: Path | str,
    function: Callable[..., Any],
    *arguments: Any,
    xet: bool | None = None,
    token: str | None = WRITE,
    **variables: str,
) -> Any:
    """What the function returns in a process whose clients speak to the Hub.

    Args:
        hub: The Hub.
        home: Where the clients keep what they fetch.
        function: A function of a module.
        arguments: For it.
        xet: Whether the clients use xet; as the Hub does unless said.
        token: Their token; None is none.
        variables: Further environment variables.
    """
    settings = {**os.environ, **hub.environment(home, xet=xet, token=token), "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "tests.loopback.client", function.__module__, function.__name__],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=settings,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.rpartition(MARK)[2])


def raised(call: Callable[[], Any]) -> str:
    """The name of the exception that a call raises, with the status if it has one; empty if it raises none."""
    try:
        call()
    except Exception as error:
        response = getattr(error, "response", None)
        return type(error).__name__ + (f" {response.status_code}" if response is not None else "")
    return ""


def main(module: str, function: str) -> None:
    """Calls the function."""
    told = getattr(importlib.import_module(module), function)(*json.load(sys.stdin))
    print(MARK + json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
