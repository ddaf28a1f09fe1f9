"""How often something is asked for again, with which pauses, and when it is given up."""

import json

import pytest

from zoo.checkpoint.network import DEADLINE, LONGEST_PAUSE, TRIES, patiently
from zoo.errors import NetworkError


class Clock:
    """Time that passes in pauses, and where a request says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    return clock


NO_JSON = json.JSONDecodeError("Expecting value", "<html>", 0)


def caused(cause: Exception) -> Exception:
    error = RuntimeError("Error while uploading 'model.safetensors' to the Hub.")
    error.__cause__ = cause
    return error


class Asked:
    """A request that fails so many times, each of which takes a while."""

    def __init__(self, clock: Clock, failures: int, seconds: float = 0, error: Exception | None = None) -> None:
        self.clock, self.failures, self.seconds = clock, failures, seconds
        self.error = error or caused(NO_JSON)
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        self.clock.now += self.seconds
        if self.times <= self.failures:
            raise self.error
        return "found"


def test_it_is_asked_for_so_many_times_and_no_more(clock: Clock) -> None:
    asked = Asked(clock, TRIES - 1)
    assert patiently(asked, "it") == "found"
    assert all(pause <= 1.25 * LONGEST_PAUSE for pause in clock.pauses)
    hopeless = Asked(clock, TRIES)
    with pytest.raises(NetworkError):
        patiently(hopeless, "it")
    assert asked.times == hopeless.times == TRIES


def test_the_deadline_is_counted_from_the_first_failure(clock: Clock) -> None:
    """A large file may take longer than that before anything goes wrong."""
    assert patiently(Asked(clock, 1, seconds=10 * DEADLINE), "it") == "found"
    slow = Asked(clock, TRIES, seconds=0.7 * DEADLINE)
    with pytest.raises(NetworkError):
        patiently(slow, "it")
    assert slow.times == 3


def test_what_the_client_wraps_is_looked_into(clock: Clock) -> None:
    asked = Asked(clock, 1, error=caused(NO_JSON))
    assert (patiently(asked, "it"), asked.times) == ("found", 2)


def test_what_is_no_hub_is_not_asked_again_and_again(clock: Clock) -> None:
    asked = Asked(clock, 1, error=NO_JSON)
    assert patiently(asked, "it") == "found"
    hopeless = Asked(clock, 2, error=NO_JSON)
    with pytest.raises(NetworkError, match="does not look like a Hub"):
        patiently(hopeless, "it")
    assert hopeless.times == 2


@pytest.mark.parametrize("error", [caused(OSError(28, "No space left on device")), RuntimeError("of xet")], ids=str)
def test_what_will_not_pass_is_raised_at_once(clock: Clock, error: Exception) -> None:
    asked = Asked(clock, 1, error=error)
    with pytest.raises(RuntimeError):
        patiently(asked, "it")
    assert asked.times == 1
