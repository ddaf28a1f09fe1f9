"""The verb that begins: `zoo init`."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.output import next_step, write_text

if TYPE_CHECKING:
    from zoo.spec.starts import Weights


@click.command("init")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column to learn.")
@click.option(
    "--weights",
    type=click.Choice(["pretrained", "none"]),
    default="pretrained",
    show_default=True,
    help="Propose pretrained parts, or small ones that start at random and need no network.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file, which must be new.")
def init_command(table: Path, target: str, weights: "Weights", output: Path | None) -> None:
    """Propose a spec for a table.

    Looks at the first rows, guesses what each column is, and writes a spec that learns the column COLUMN from the
    others. Each guess stands as a comment beside what follows from it.
    """
    from zoo.errors import ConflictError
    from zoo.spec.propose import propose

    if output is not None and output.exists():
        raise ConflictError(f"`{output}` is there already; name another file with -o, or remove it first")
    write_text(propose(table, target, weights, output.parent if output else Path()), output)
    written = quote(str(output)) if output else "SPEC"
    next_step(f"zoo check {written}")
