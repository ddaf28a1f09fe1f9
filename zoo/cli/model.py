"""The verbs from a spec to a model: `zoo build`, `zoo train`; and `zoo fetch`, before them."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.spec import set_option, settings, spec_argument

if TYPE_CHECKING:
    from zoo.spec.sections import Spec

folder_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the run; runs/<name> unless said."
)


locked_option = click.option(
    "--locked", is_flag=True, help="Refuse whatever is not as the zoo.lock beside the spec tells; take its commits."
)


@click.command("build")
@spec_argument
@set_option
@folder_option
@locked_option
@json_option
def build_command(spec: Path, overrides: tuple[str, ...], output: Path | None, locked: bool, as_json: bool) -> None:
    """Build a model from a spec, with its pretrained weights.

    Fits the parts together, loads the weights and writes a run folder, which is complete in the end or absent. What
    parts must know of the data (class names, means, a vocabulary) is learnt from the training rows.
    """
    from zoo.checkpoint.folder import check_free, complete_or_absent
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    folder = output or Path("runs") / checked.name
    check_free(folder)
    if locked:
        checked = _under_lock(checked, spec)
    from zoo.checkpoint.lock import remarks
    from zoo.model.build import build, told_starts
    from zoo.model.run import write_run
    from zoo.transfer.freeze import apply_transfer

    model = build(checked)
    apply_transfer(model)  # so that a pattern that freezes nothing is told here already
    with complete_or_absent(folder) as beside:
        write_run(model, beside, folder, {})
    for remark in remarks(checked, model.sources):
        note(remark)
    total = sum(each.numel() for each in model.parameters())
    if as_json:
        starts = {part: vars(start) for part, start in model.starts.items()}
        print_json({"folder": str(folder), "parameters": total, "starts": starts})
    else:
        for line in told_starts(model):
            note(line)
        click.echo(f"built {folder}: {total:,} parameters")
    trained = folder.with_name(f"{folder.name}-trained")  # the run that was built stays where it is
    held = " --locked" * locked
    next_step(f"zoo train {quote(str(spec))} -o {quote(str(trained))}{held}{settings(overrides)}")


@click.command("train")
@spec_argument
@set_option
@folder_option
@locked_option
@click.option("--resume", is_flag=True, help="Go on where a training of this folder stands; begin if there is none.")
@json_option
def train_command(
    spec: Path, overrides: tuple[str, ...], output: Path | None, locked: bool, resume: bool, as_json: bool
) -> None:
    """Fine-tune a model as its spec says.

    Writes a run folder, which is complete in the end or absent. The best epoch on the validation rows is kept. The
    test table, if the spec names one, is looked at once, at the end; every number comes with its interval and how many
    rows it stands on.

    Ctrl-C, SIGTERM and SIGUSR1 save where the training stands, in a folder beside the run's; --resume goes on from
    there, and ends with the model that an undisturbed training gives. Under `torchrun -m zoo train` and `accelerate
    launch -m zoo train` several processes share the rows of every step.
    """
    from zoo.checkpoint.folder import check_free
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    folder = output or Path("runs") / checked.name
    if not resume:
        check_free(folder)
    if locked:
        checked = _under_lock(checked, spec)
    from zoo.cli.processes import first_process
    from zoo.cli.scores import print_scores
    from zoo.data.columns import sample_names
    from zoo.model.calibration import told_calibration
    from zoo.training.progress import Terminal
    from zoo.training.train import train

    with Terminal() as watch:
        run = train(checked, folder, resume=resume, watch=watch)
    if not first_process():
        return
    for line in told_calibration(run.model):
        note(f"note: {line}")
    if as_json:
        print_json({"folder": str(folder), **run.metrics})
    else:
        click.echo(f"trained {folder}")
        print_scores(run.metrics)
    next_step(f"zoo predict {quote(str(folder))} {' '.join(f'{name}=...' for name in sample_names(checked))}")


@click.command("fetch")
@spec_argument
@set_option
@json_option
def fetch_command(spec: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Fetch all that a spec needs, to build it without a network.

    Weights, configurations and tokenizers of its parts, and data sets of the Hub; where a zoo.lock stands beside the
    spec, at the commits that it tells. Nothing is written but the caches, which are told.
    """
    from zoo.checkpoint.locked import LOCK, read_lock, under_lock
    from zoo.model.fetch import fetch
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    pinned = (spec.parent / LOCK).is_file()
    found = fetch(under_lock(checked, read_lock(spec)) if pinned else checked)
    if as_json:
        print_json({**asdict(found), "folders": list(map(str, found.folders))})
        return
    for part, record in found.weights.items():
        place = "@".join(str(record[key]) for key in ("repo", "commit", "url", "path") if key in record)
        click.echo(f"{part}: {place}, {len(record['files'])} files")
    for name in found.tables:
        click.echo(f"data: {name}")
    if not found.weights and not found.tables:
        click.echo("nothing is needed from elsewhere")
    for folder in found.folders:
        note(f"kept in {folder}")
    next_step(f"zoo build {quote(str(spec))}{' --locked' if pinned else ''}{settings(overrides)}")


def _under_lock(checked: "Spec", path: Path) -> "Spec":
    """The spec as the lock beside it tells; whatever is not as it tells is refused."""
    from zoo.checkpoint.locked import check_drift, read_lock, under_lock

    lock = read_lock(path)
    locked = under_lock(checked, lock)
    check_drift(locked, lock)
    return locked
