"""`zoo reproduce`: whether a run comes out again."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, note, print_json, print_table
from zoo.cli.scores import interval


@click.command("reproduce")
@click.argument("run", metavar="DIR|REF")
@click.option(
    "--data",
    "folders",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where its tables are looked for; the working folder unless said. May be given several times.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the new run; runs/<name>-reproduced unless said."
)
@json_option
def reproduce_command(run: str, folders: tuple[Path, ...], output: Path | None, as_json: bool) -> None:
    """Train a shared run again, and compare its scores.

    Its spec and seed are taken, its pretrained weights at the commits that its lock tells, and the tables that have the
    digests told there, whatever they are called here. Scores of the whole model must be within the 95 % intervals that
    the run was shared with; else it ends with 5.
    """
    from zoo.errors import DigestError
    from zoo.hub.reproduce import reproduce
    from zoo.training.progress import Terminal

    with Terminal() as watch:
        found = reproduce(run, output, data=folders or (".",), watch=watch)
    for each in found.remarks:
        note(each)
    if as_json:
        print_json({**asdict(found), "folder": str(found.folder), "outside": [asdict(each) for each in found.outside]})
    else:
        outside = set(found.outside)
        rows = [
            [each.head, each.metric, interval(each.before), interval(each.after), "no" if each in outside else "yes"]
            for each in found.scores
        ]
        print_table(["head", "metric", "then", "now", "within"], rows)
        weights = "the weights are the same, bit by bit" if found.same_weights else "the weights differ"
        click.echo(f"trained {found.folder}: {weights}")
    if found.outside:
        names = ", ".join(f"{each.head}.{each.metric}" for each in found.outside)
        raise DigestError(f"`{run}` was not reproduced: {names} outside of the intervals that it was shared with")
    next_step(f"zoo diff {quote(run)} {quote(str(found.folder))}")
