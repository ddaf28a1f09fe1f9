"""The verb that makes data: `zoo data`."""

from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, print_json


@click.group("data")
def data_command() -> None:
    """Make the data set that comes with zoo."""


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
