"""The verbs about data: `zoo data make`, `zoo data check`."""

from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, TypeAlias

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.spec import set_option, settings, spec_argument
from zoo.errors import ExitCode

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

seed_option = click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything random.")


def rows_option(default: int) -> Decorator:
    """How many training rows are made."""
    return click.option(
        "--rows", type=click.IntRange(20, 1_000_000), default=default, show_default=True, help="Of the training split."
    )


def output_option(default: str) -> Decorator:
    """Where the data set is written."""
    kind = click.Path(path_type=Path)
    return click.option("-o", "--output", type=kind, default=Path(default), show_default=True, help="A new folder.")


@click.group("data")
def data_command() -> None:
    """Look whether data can be trusted; make data sets to try zoo on."""


@data_command.group("make")
def make_command() -> None:
    """Make a data set: Parquet files with all that they hold, and a card that tells how they came about."""


@make_command.command("digits")
@output_option("digits")
@seed_option
@json_option
def digits_command(output: Path, seed: int, as_json: bool) -> None:
    """Make 1,797 digits, each as a picture, a text and a sound, for the recipe `digits`.

    Handwriting is real and comes with scikit-learn; texts and sounds are made. Each modality is spoilt in some rows, so
    that none suffices alone; README.md in the folder tells how.
    """
    from zoo.data.digits.make import make_digits

    _made(output, make_digits(output, seed), "digits", as_json)


@make_command.command("shapes")
@output_option("shapes")
@rows_option(2000)
@seed_option
@json_option
def shapes_command(output: Path, rows: int, seed: int, as_json: bool) -> None:
    """Make pictures of coloured shapes, with captions, questions, boxes and counts, for the recipe `shapes`.

    Some combinations of colour and shape stand in the test split alone.
    """
    from zoo.data.shapes.make import make_shapes

    _made(output, make_shapes(output, rows, seed), "shapes", as_json)


@make_command.command("shortcut")
@output_option("shortcut")
@rows_option(2516)
@seed_option
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Probability that the easy modalities tell the label in training.",
)
@json_option
def shortcut_command(output: Path, rows: int, seed: int, strength: float, as_json: bool) -> None:
    """Make digits whose colour gives them away in training and not in the test, for the recipe `shortcut`.

    A model that follows the easy modality is right in training and by chance in the test.
    """
    from zoo.data.shortcut.make import make_shortcut

    _made(output, make_shortcut(output, rows, seed, strength), "shortcut", as_json)


data_command.add_command(digits_command)  # the short form of `zoo data make digits`, which the README begins with


def _made(output: Path, sizes: dict[str, int], recipe: str, as_json: bool) -> None:
    """Tells what was made, and what to do with it."""
    if as_json:
        print_json({"folder": str(output), "rows": sizes})
    else:
        click.echo(f"wrote {output}: {', '.join(f'{name} {rows} rows' for name, rows in sizes.items())}")
    next_step(f"zoo show {recipe} --yaml > {quote(str(output.parent / f'{recipe}.yaml'))}")


@data_command.command("check")
@spec_argument
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    help="Look at this table beside the training tables, in place of those for validation and test.",
)
@set_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write all that is found as a CSV file.")
@json_option
def check_command(
    spec: Path, table: Path | None, overrides: tuple[str, ...], output: Path | None, as_json: bool
) -> None:
    """Tell what is wrong with the tables of a spec, row by row, and what is suspect.

    Every cell is decoded once. Told are rows that cannot be used, duplicates and rows on both sides of a split, labels
    that contradict each other or look wrong, inputs that give the label away, rare classes, and what a table is like.
    Nothing is fetched, and no model is built. Exits with 2 where rows cannot be used, else with 0.
    """
    from zoo.spec.load import load_spec

    checked = load_spec(spec, overrides=overrides)
    from zoo.cli.data_check import print_report
    from zoo.data.check.finding import findings_text
    from zoo.data.check.report import check_data
    from zoo.files import check_new, check_writable, replace_file

    if output is not None:
        check_new(output)
        check_writable(output)
    report = check_data(checked, table, note)
    if output is not None:
        replace_file(output, findings_text(report.findings))
    if as_json:
        print_json(report.as_dict())
    else:
        print_report(report, output)
    if output is not None:
        note(f"wrote {output}: {len(report.findings):,} findings")
    if not report.ok:
        raise click.exceptions.Exit(ExitCode.USAGE)
    next_step(f"zoo train {quote(str(spec))}{settings(overrides)}")
