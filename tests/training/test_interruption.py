"""Which signals are kept in mind, and which end a training at once."""

import signal
from collections.abc import Iterator

import pytest

from zoo.training import interruption
from zoo.training.interruption import Interruptions


class Ended(Exception):
    pass


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """What the signals do outside a training."""

    def end(number: int, frame: object) -> None:
        raise Ended(number)

    found = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in found.items():
        signal.signal(number, handler)


def test_a_signal_that_a_launcher_passes_on_is_the_first_one_again() -> None:
    with Interruptions() as heard:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert heard.heard == signal.SIGTERM


def test_a_later_signal_does_what_it_ever_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "PASSED_ON", -1.0)
    with Interruptions() as heard:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Ended):
            signal.raise_signal(signal.SIGINT)
        assert heard.heard == signal.SIGTERM


def test_behind_the_block_all_is_as_before() -> None:
    with Interruptions() as heard:
        signal.raise_signal(signal.SIGINT)
    assert heard.heard == signal.SIGINT
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGINT)
