"""The verbs that share runs and compare them: `zoo push`, `zoo pull`, `zoo verify`, `zoo diff`."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.output import json_option, next_step, note, print_json, print_table, printable
from zoo.cli.scores import interval
from zoo.cli.transfer import transfer

if TYPE_CHECKING:
    from zoo.hub.diff import Part, Score

nonfinite_option = click.option(
    "--allow-nonfinite", is_flag=True, help="Take weights that hold NaN or infinities, which else are refused."
)


@click.command("push")
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("reference", metavar="REPO")
@click.option("--full", is_flag=True, help="Send the weights whole, even where their base is pinned.")
@click.option("--public", is_flag=True, help="Make a new repository of the Hub public; it is private unless said.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what would be sent.")
@click.option("-m", "--message", help="Message of the commit.")
@nonfinite_option
@json_option
def push_command(
    run: Path,
    reference: str,
    full: bool,
    public: bool,
    dry_run: bool,
    message: str | None,
    allow_nonfinite: bool,
    as_json: bool,
) -> None:
    """Share a run: one commit, proven the same by pulling it back.

    REPO is owner/name on the Hub, which is made if need be, private unless --public is said, or file:///FOLDER, a store
    in a folder that others can read. Weights that start at a commit of the Hub are sent as what differs from them, bit
    by bit; such a delta needs its base to stay where it is.
    """
    from zoo.hub.push import push

    with transfer() as watch:
        found = push(
            run,
            reference,
            full=full,
            private=not public,
            dry_run=dry_run,
            allow_nonfinite=allow_nonfinite,
            message=message,
            watch=watch,
        )
    if as_json:
        print_json({**asdict(found), "reference": str(found.reference), "dry_run": dry_run})
        return
    if dry_run:
        print_table(["file", "bytes"], [[name, f"{size:,}"] for name, size in found.files.items()])
    for each in found.remarks:
        note(each)
    for base in found.delta:
        note(f"the weights are what differs from {base}, which must stay where it is; --full sends them whole")
    if dry_run:
        click.echo(f"would push {len(found.files)} files, {found.sent:,} bytes, to {found.reference}")
        return
    what = f"{found.sent:,} bytes sent" if found.new else "all of it was there already"
    click.echo(f"pushed {found.reference}: {what}; pulled back, {_proof(found.difference)}")
    next_step(f"zoo pull {quote(str(found.reference))}")


@click.command("pull")
@click.argument("reference", metavar="REF")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the run; runs/<name> unless said.")
@nonfinite_option
@json_option
def pull_command(reference: str, output: Path | None, allow_nonfinite: bool, as_json: bool) -> None:
    """Fetch a shared run, the same to the last bit, or tell why not.

    No code of a stranger runs. Every digest is compared, and a fresh process that reads the run must say what it said
    where it was shared.
    """
    from zoo.hub.pull import pull

    with transfer() as watch:
        found = pull(reference, output, allow_nonfinite=allow_nonfinite, watch=watch)
    if as_json:
        print_json({**asdict(found), "folder": str(found.folder), "reference": str(found.reference)})
        return
    for each in found.remarks:
        note(each)
    click.echo(f"pulled {found.reference} into {found.folder}: {found.size:,} bytes, {_proof(found.difference)}")
    next_step(f"zoo eval {quote(str(found.folder))} TABLE")


@click.command("verify")
@click.argument("run", metavar="DIR|REF")
@json_option
def verify_command(run: str, as_json: bool) -> None:
    """Prove that a run is the one that was written.

    And that it says here what it said where it was shared. A shared run is pulled first, into a folder that is gone
    afterwards.
    """
    from zoo.hub.verify import verify

    with transfer() as watch:
        found = verify(run, watch)
    if as_json:
        print_json(asdict(found))
        return
    for each in found.remarks:
        note(each)
    click.echo(f"{found.name}: {found.tensors} tensors as they were written, {_proof(found.difference)}")


@click.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@json_option
def diff_command(one: str, other: str, as_json: bool) -> None:
    """Tell what two runs differ in, and by how much.

    A and B are run folders or shared runs. Compared are their specs, what they were made of, their tensors, and their
    scores with the intervals beside.
    """
    from zoo.hub.diff import diff

    with transfer() as watch:
        found = diff(one, other, watch)
    if as_json:
        print_json(asdict(found))
        return
    for each in found.remarks:
        note(each)
    for line in found.spec:
        click.echo(printable(line))
    for key, (before, after) in found.facts.items():
        click.echo(printable(f"{key}: {_short(before)} -> {_short(after)}"))
    columns = ["part", "equal", "changed", "only in A", "only in B", "largest change", "of"]
    print_table(columns, map(_part_row, found.parts))
    if found.scores:
        print_table(["modalities", "head", "metric", "A", "B"], map(_score_row, found.scores))
    click.echo("the weights are the same, bit by bit" if found.same_weights else "the weights differ")


def _part_row(part: "Part") -> list[str]:
    counts = [str(each) if each else "" for each in (part.equal, part.changed, part.gone, part.new)]
    largest = "" if part.largest is None else f"{part.largest:.2g}"
    return [part.name, *counts, largest, part.where or ""]


def _score_row(score: "Score") -> list[str]:
    return [score.subset, score.head, score.metric, interval(score.before), interval(score.after)]


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _proof(difference: float | None) -> str:
    if difference is None:
        return "no golden outputs to compare"
    return "golden outputs equal" if difference == 0 else f"golden outputs equal to {difference:.1g}"
