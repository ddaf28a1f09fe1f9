"""`zoo cv`: how good a spec is, each row predicted by a model that did not learn from it."""

import json
from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.spec import set_option, settings, spec_argument
from zoo.cli.waiting import waiting


@click.command("cv")
@spec_argument
@set_option
@click.option("--folds", type=click.IntRange(2), help="How many folds; `evaluate.folds` unless said.")
@click.option(
    "--repeats", type=click.IntRange(1), default=1, show_default=True, help="How often to divide the rows anew."
)
@click.option("--against", type=click.Path(path_type=Path), metavar="SPEC", help="Compare with another spec.")
@click.option("--learning-curve", is_flag=True, help="Train on 1/8, 1/4 and 1/2 of the rows too.")
@click.option("--keep-models", is_flag=True, help="Keep the model of each fold, as a run folder.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the results; runs/<name>-cv unless said."
)
@click.option("--resume", is_flag=True, help="Go on where one of this folder stands; begin if there is none.")
@json_option
def cv_command(
    spec: Path,
    overrides: tuple[str, ...],
    folds: int | None,
    repeats: int,
    against: Path | None,
    learning_curve: bool,
    keep_models: bool,
    output: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Measure a spec on all of its training rows, fold by fold.

    Divides the rows of `data.train` into folds, trains without each of them in turn, and measures on the rows held
    out: in whole groups where `evaluate.groups` says so, else with equal shares of the classes. The test table is not
    opened. Writes a folder with metrics and the predictions of every row, which is complete in the end or absent.

    With --against both specs learn from the same folds with the same seeds; --set changes both. Ctrl-C keeps the folds
    that are done, and --resume goes on from there.
    """
    from zoo.checkpoint.folder import check_free
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    other = None if against is None else check_spec(against, overrides=overrides)
    folder = output or Path("runs") / f"{checked.name}-cv"
    metrics = folder / "metrics.json"
    if resume and metrics.exists():
        note(f"{folder} is finished already")
        if as_json:
            print_json({"folder": str(folder), **json.loads(metrics.read_text(encoding="utf-8"))})
        return
    check_free(folder)
    from zoo.cli.crossed import FoldBar, print_crossed

    with waiting("loading zoo"):
        from zoo.training.crossed.cross_validate import cross_validate

    with FoldBar(checked.train.epochs) as bar:
        found = cross_validate(
            checked,
            folder,
            folds=folds,
            repeats=repeats,
            against=other,
            curve=learning_curve,
            keep_models=keep_models,
            resume=resume,
            tell=bar.tell,
            watch=bar,
        )
    if as_json:
        print_json({"folder": str(folder), **found.as_dict()})
    else:
        click.echo(f"wrote {folder}")
        print_crossed(found.as_dict())
    next_step(f"zoo train {quote(str(spec))}{settings(overrides)}")
