"""What is shown while the user waits: a spinner, a bar of rows; nothing where stderr is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner beside a text, on a terminal, until the block ends."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status(text):
        yield


@contextmanager
def row_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar with rows done, rows per second and the time left, on a terminal; what it gives takes rows done and all."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("predict", total=None, rate="")

        def told(done: int, rows: int) -> None:
            if not done:
                bar.reset(task, total=rows)  # what came before was no prediction
            bar.update(task, completed=done, rate=rate(done, bar.tasks[0].elapsed or 0.0) if done else "")

        yield told


def rate(rows: int, seconds: float) -> str:
    """`350 rows/s`."""
    return f"{rows / max(seconds, 1e-3):,.0f} rows/s"


def duration(seconds: float) -> str:
    """`34 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
