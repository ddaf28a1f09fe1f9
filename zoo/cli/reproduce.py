"""`zoo reproduce`: whether a run comes out again."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, print_json, print_table
from zoo.cli.scores import interval

WITHIN = {True: "yes", False: "no", None: "-"}


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
@click.option("--resume", is_flag=True, help="Go on where an interrupted one stands; begin if there is none.")
@json_option
def reproduce_command(run: str, folders: tuple[Path, ...], output: Path | None, resume: bool, as_json: bool) -> None:
    """Train a shared run again, and compare its scores.

    Its spec and seed are taken, its pretrained weights at the commits that its lock tells, and the tables that have the
    digests told there, whatever they are called here. Scores of the whole model must be within the 95 % intervals that
    the run was shared with; else it ends with 5.
    """
    from zoo.errors import DigestError
    from zoo.hub.reproduce import reproduce
    from zoo.training.progress import Terminal

    with Terminal() as watch:
        found = reproduce(run, output, data=folders or (".",), resume=resume, watch=watch)
    if as_json:
        print_json({**asdict(found), "folder": str(found.folder), "outside": [asdict(each) for each in found.outside]})
    else:
        rows = [
            [each.head, each.metric, interval(each.before), interval(each.after), WITHIN[found.within(each)]]
            for each in found.scores
        ]
        print_table(["head", "metric", "then", "now", "within"], rows)
        weights = "the weights are the same, bit by bit" if found.same_weights else "the weights differ"
        click.echo(f"trained {found.folder}: {weights}")
    if found.outside:
        names = ", ".join(f"{each.head}.{each.metric}" for each in found.outside)
        raise DigestError(f"`{run}` was not reproduced: {names} outside of the intervals that it was shared with")
    new = quote(str(found.folder))
    next_step(f"zoo eval {new} TABLE" if found.same_weights else f"zoo diff {quote(run)} {new}")
