"""Signals that end a training: they are heard after the step that is being made, so that its state can be saved."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C; what a batch system sends at the end of a job's time; what it can be told to send some time before."""

PASSED_ON = 2.0
"""Seconds in which a second signal is the first one again: a launcher passes on what all processes got with it."""


class Interruptions:
    """Within the block, the first of these signals is kept in mind as `heard`; a later one does what it ever did."""

    heard: int | None = None

    def __enter__(self) -> Self:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in SIGNALS:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.heard is None:
            self.heard, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > PASSED_ON:
            self._restore()
            signal.raise_signal(number)

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)
