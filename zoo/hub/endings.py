"""How a process ended."""

import signal


def signal_name(number: int) -> str:
    """What messages call a signal: its name, or its number where it has none, as those for real time."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
