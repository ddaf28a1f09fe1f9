"""Signals that end the process are heard at whatever moment they come."""

import subprocess
import sys

import pytest

SCRIPT = """\
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from zoo.cli.signals import clear_away_when_ended, ended_by
clear_away_when_ended()

class Ending:
    def __del__(self):
        {within}

try:
    ending = Ending()
    del ending
    time.sleep(30)
except KeyboardInterrupt as error:
    print(ended_by(error))
"""


def said(within: str) -> tuple[str, str]:
    words = [sys.executable, "-c", SCRIPT.format(within=within)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=25)
    return done.stdout, done.stderr


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_at_the_end_of_an_object_is_not_lost(number: int) -> None:
    assert said(f"os.kill(os.getpid(), {number})") == (f"{number}\n", "")


def test_another_error_at_the_end_of_an_object_is_told_as_ever() -> None:
    stdout, stderr = said("signal.setitimer(signal.ITIMER_REAL, 0.2); 1 / 0")
    assert "ZeroDivisionError" in stderr
    assert stdout == ""
