"""The verbs from a spec to a model: `zoo build`, `zoo train`."""

from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.spec import set_option, settings, spec_argument

folder_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the run; runs/<name> unless said."
)


@click.command("build")
@spec_argument
@set_option
@folder_option
@json_option
def build_command(spec: Path, overrides: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Build a model from a spec, with its pretrained weights.

    Fits the parts together, loads the weights and writes a run folder, which is complete in the end or absent. What
    parts must know of the data (class names, means, a vocabulary) is learnt from the training rows.
    """
    from zoo.checkpoint.folder import check_free, complete_or_absent
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    folder = output or Path("runs") / checked.name
    check_free(folder)
    from zoo.model.build import build, told_starts
    from zoo.model.run import write_run
    from zoo.transfer.freeze import apply_transfer

    model = build(checked)
    apply_transfer(model)  # so that a pattern that freezes nothing is told here already
    with complete_or_absent(folder) as beside:
        write_run(model, beside, folder, {})
    total = sum(each.numel() for each in model.parameters())
    if as_json:
        starts = {part: vars(start) for part, start in model.starts.items()}
        print_json({"folder": str(folder), "parameters": total, "starts": starts})
    else:
        for line in told_starts(model):
            note(line)
        click.echo(f"built {folder}: {total:,} parameters")
    trained = folder.with_name(f"{folder.name}-trained")  # the run that was built stays where it is
    next_step(f"zoo train {quote(str(spec))} -o {quote(str(trained))}{settings(overrides)}")


@click.command("train")
@spec_argument
@set_option
@folder_option
@click.option("--resume", is_flag=True, help="Go on where a training of this folder stands; begin if there is none.")
@json_option
def train_command(spec: Path, overrides: tuple[str, ...], output: Path | None, resume: bool, as_json: bool) -> None:
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
    from zoo.cli.processes import first_process
    from zoo.cli.scores import print_scores
    from zoo.data.columns import sample_names
    from zoo.model.calibration import told_calibration
    from zoo.training.progress import Terminal
    from zoo.training.train import train

    with Terminal(checked.train.epochs) as watch:
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
