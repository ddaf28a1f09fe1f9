"""How verbs print: JSON and tables on stdout, everything else on stderr."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print machine-readable JSON.")


def print_json(value: Any) -> None:
    """A value as indented JSON on stdout; what JSON has no number for, NaN and the infinities, is null."""
    click.echo(json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """A table on stdout, without its empty columns: fitted to a terminal, one whole line per row anywhere else."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, title=title or None, title_justify="left")
    table.pad_edge = False
    cells = [list(row) for row in rows]
    kept = [index for index in range(len(columns)) if any(row[index] for row in cells)]
    for column in (columns[index] for index in kept):
        table.add_column(column, no_wrap=not console.is_terminal, overflow="fold", header_style="bold")
    for row in cells:
        table.add_row(*(Text(row[index]) for index in kept))
    if console.is_terminal:
        console.print(table)
    else:
        width = console.measure(table, options=console.options.update(width=100_000)).maximum
        wide = Console(highlight=False, width=max(width, 1))
        with wide.capture() as captured:
            wide.print(table)
        sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def note(text: str) -> None:
    """A remark on stderr."""
    click.echo(text, err=True)


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
