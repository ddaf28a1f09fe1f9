"""Runs zoo's command line in this process, as `main` would."""

import contextlib
import io
from dataclasses import dataclass

from zoo.cli import main


@dataclass
class Result:
    """What a command printed, and what it returned to the shell."""

    exit_code: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Result:
    """Runs `zoo` with the arguments."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
    return Result(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())
