"""What goes wrong on request: rules for certain requests, and a storm over all of them."""

import random
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Status:
    """Answers with a status, and does nothing else."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Drop:
    """Closes the connection before anything is done."""


@dataclass(frozen=True)
class Lost:
    """Does all that was asked, and closes the connection without an answer."""


@dataclass(frozen=True)
class Truncate:
    """Closes the connection after so many bytes of the body; the headers promise all of it."""

    bytes: int


@dataclass(frozen=True)
class Corrupt:
    """Answers with a body of the right size whose middle byte is another. A xet token leads to such storage."""


@dataclass(frozen=True)
class Stall:
    """Waits, in seconds, after so many bytes of the body; before the answer if that is None."""

    seconds: float
    after: int | None = None


Fault = Status | Drop | Lost | Truncate | Corrupt | Stall


@dataclass
class Rule:
    """A fault of the next `times` requests with such a method and path."""

    method: re.Pattern[str]
    path: re.Pattern[str]
    times: int
    fault: Fault
    met: int = 0

    def applies(self, method: str, path: str) -> bool:
        """Whether a request is one of them."""
        return self.met < self.times and bool(self.method.fullmatch(method) and self.path.search(path))


@dataclass
class Storm:
    """Faults that come by chance, the same ones for the same seed as long as one request follows another."""

    chance: random.Random
    probability: float
    faults: Sequence[Fault]
    path: re.Pattern[str]

    def draw(self, path: str) -> Fault | None:
        """The fault of a request, if any."""
        if not self.path.search(path) or self.chance.random() >= self.probability:
            return None
        return self.chance.choice(self.faults)


class Faults:
    """All rules; those that were made first come first."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.storm: Storm | None = None
        self.met: list[Fault] = []
        self._lock = threading.Lock()

    def next(self, method: str, path: str) -> Fault | None:
        """The fault of a request, which counts as met."""
        with self._lock:
            fault = self.storm.draw(path) if self.storm else None
            for rule in self.rules:
                if rule.applies(method, path):
                    rule.met += 1
                    fault = rule.fault
                    break
            if fault is not None:
                self.met.append(fault)
            return fault

    def calm(self) -> None:
        """Ends all rules and the storm."""
        with self._lock:
            self.rules.clear()
            self.storm = None
