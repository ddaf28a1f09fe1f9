"""What a push or a pull shows on a terminal: the step it is at, and a bar of bytes where they are counted."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def transfer() -> Iterator["Bar | None"]:
    """What hears how far a push or a pull is, and shows it until the block ends; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn
    from rich.table import Column

    words = (SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)))
    console = Console(stderr=True, highlight=False)
    plain = Progress(*words, console=console, transient=True)
    counting = Progress(*words, BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console, transient=True)
    bar = Bar(plain, counting)
    try:
        yield bar
    finally:
        bar.end()


class Bar:
    """Shows one step at a time.

    Args:
        plain: Shows a step without bytes, a `rich.progress.Progress`.
        counting: Shows one with bytes.
    """

    def __init__(self, plain: Any, counting: Any) -> None:
        self._plain, self._counting = plain, counting
        self._now: Any = None

    def step(self, text: str, size: int = 0) -> None:
        """A step begins."""
        self.end()
        self._now = self._counting if size else self._plain
        self._now.add_task(text, total=size or None)
        self._now.start()

    def more(self, size: int) -> None:
        """So many bytes more are done."""
        if self._now is self._counting:
            self._now.advance(self._now.task_ids[0], size)

    def aside(self, text: str) -> None:
        """A step begins that shows itself."""
        self.end()
        click.echo(text, err=True)

    def end(self) -> None:
        """Shows nothing any more."""
        if self._now is not None:
            self._now.stop()
            self._now.remove_task(self._now.task_ids[0])
            self._now = None
