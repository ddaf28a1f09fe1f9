"""Signals that end the process as Ctrl-C does: what is half written is cleared away."""

import signal
import sys
import threading
from types import FrameType

SWALLOWED = 0.05
"""Seconds after which a signal that Python swallowed is sent again."""


class Ended(KeyboardInterrupt):
    """A signal ends the process; no `except` for a stranger's errors or exits holds it up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def ended_by(error: BaseException | None) -> int:
    """The number of the signal behind an interruption; of Ctrl-C where it does not say."""
    return error.number if isinstance(error, Ended) else signal.SIGINT


def clear_away_when_ended() -> None:
    """Makes the signals that end a process do what Ctrl-C does, at whatever moment they come."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` has it ignored
            signal.signal(number, _end)
    sys.unraisablehook = _send_again


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended(number)


def _send_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """Python lets nothing out of the end of an object (`__del__`): a signal that came just then would be lost."""
    if not isinstance(swallowed.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(swallowed)
        return
    main = threading.main_thread().ident
    again = threading.Timer(SWALLOWED, signal.pthread_kill, [main, ended_by(swallowed.exc_value)])
    again.daemon = True
    again.start()
