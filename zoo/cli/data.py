"""The verbs about data: `zoo data digits`, `zoo data check`."""

from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.spec import set_option, settings, spec_argument
from zoo.errors import ExitCode


@click.group("data")
def data_command() -> None:
    """Look whether data can be trusted; make the data set that comes with zoo."""


@data_command.command("digits")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("digits"), show_default=True, help="A new folder."
)
@json_option
def digits_command(output: Path, as_json: bool) -> None:
    """Make 1,797 digits, each as a picture, a text and a sound, for the recipe `digits`.

    Handwriting is real and comes with scikit-learn; texts and sounds are made. Each modality is spoilt in some rows, so
    that none suffices alone; README.md in the folder tells how.
    """
    from zoo.data.digits.make import make_digits

    sizes = make_digits(output)
    if as_json:
        print_json({"folder": str(output), "rows": sizes})
    else:
        click.echo(f"wrote {output}: {', '.join(f'{name} {rows} rows' for name, rows in sizes.items())}")
    next_step(f"zoo show digits --yaml > {quote(str(output.parent / 'digits.yaml'))}")


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
    from zoo.files import check_writable, replace_file

    if output is not None:
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
