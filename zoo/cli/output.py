"""How verbs print: JSON and tables on stdout, everything else on stderr."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from zoo.files import json_text

json_option = click.option("--json", "as_json", is_flag=True, help="Print machine-readable JSON.")


def print_json(value: Any) -> None:
    """A value as indented JSON on stdout; what JSON has no number for, NaN and the infinities, is null."""
    click.echo(json_text(value, indent=2), nl=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout, without its empty columns: fitted to a terminal, one whole line per row anywhere else."""
    cells = [list(map(printable, row)) for row in rows]
    kept = [index for index in range(len(columns)) if any(row[index] for row in cells)]
    table = [[columns[index] for index in kept], *([row[index] for index in kept] for row in cells)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    if sys.stdout.isatty():
        _print_fitted(table, widths)
        return
    for row in table:
        padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _print_fitted(table: list[list[str]], widths: list[int]) -> None:
    """The table on a terminal: names are whole, the last column wraps, or is left out where there is no room for it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    fitted = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    while (room := console.width - sum(widths[:-1]) - 3 * (len(widths) - 1)) < 8 and len(widths) > 1:
        table, widths = [row[:-1] for row in table], widths[:-1]
    for index, column in enumerate(table[0]):
        last = index == len(widths) - 1
        width = min(widths[index], max(8, room)) if last else widths[index]
        fitted.add_column(
            column,
            width=width,
            no_wrap=not last or room < 24,
            overflow="fold" if last and room >= 24 else "ellipsis",
            header_style="bold",
        )
    for row in table[1:]:
        fitted.add_row(*map(Text, row))
    console.print(fitted)


def note(text: str) -> None:
    """A remark on stderr."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """A text without what a terminal would take for a command: names from strangers' files stand in messages."""
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in text)


def next_step(command: str) -> None:
    """What to do next, on stderr."""
    note(f"next: {command}")


def write_text(text: str, output: Path | None) -> None:
    """A text to stdout, or to a file that is complete or not there at all."""
    if output is None:
        click.echo(text, nl=False)
        return
    from zoo.files import replace_file

    replace_file(output, text)
    note(f"wrote {output}")
