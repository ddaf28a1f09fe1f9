"""The verb that begins: `zoo init`."""

import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.output import json_option, next_step, print_json, write_text

if TYPE_CHECKING:
    from zoo.spec.proposal.parts import Weights


@click.command("init")
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="COLUMN",
    help="A column to learn; say it again for several. Unless said, the one that is plainly meant by its name.",
)
@click.option(
    "--weights",
    type=click.Choice(["pretrained", "none"]),
    default="pretrained",
    show_default=True,
    help="Propose pretrained parts, or small ones that start at random and need no network.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file, which must be new.")
@click.option(
    "--schema",
    type=click.Path(path_type=Path),
    help="Name this file to editors, which complete and explain keys by it; it is written if it is not there.",
)
@json_option
def init_command(
    table: Path, targets: tuple[str, ...], weights: "Weights", output: Path | None, schema: Path | None, as_json: bool
) -> None:
    """Propose a spec for a table.

    TABLE is a file, a glob, a folder or COCO's JSON. Looks at some of its rows, guesses what each column is, and writes
    a spec that learns one or more columns from the others. Each choice stands with its reason. Tables beside it that
    are called like its other splits, such as test.csv beside train.csv, are used as such.
    """
    from zoo.files import check_new
    from zoo.spec.proposal.propose import propose
    from zoo.spec.proposal.write import as_data, write

    if output is not None:
        check_new(output)
    folder = output.parent if output else Path()
    proposal = propose(table, targets, weights, folder)
    if schema is not None and not schema.exists():
        _write_schema(schema)
    shown = Path(os.path.relpath(schema, folder)).as_posix() if schema else None
    if output is not None or not as_json:
        write_text(write(proposal, shown), output)
    if as_json:
        print_json(as_data(proposal))
    next_step(f"zoo check {quote(str(output)) if output else 'SPEC'}")


def _write_schema(path: Path) -> None:
    import json

    from zoo.registry.registry import installed
    from zoo.spec.schema import spec_schema

    write_text(json.dumps(spec_schema(installed()), indent=1, ensure_ascii=False) + "\n", path)
