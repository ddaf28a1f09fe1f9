"""The verb that looks ahead: `zoo plan`."""

from pathlib import Path
from shlex import quote

import click

from zoo.cli.output import json_option, next_step, print_json
from zoo.cli.spec import set_option, settings, spec_argument


@click.command("plan")
@spec_argument
@set_option
@json_option
def plan_command(spec: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Tell what a spec would become: shapes, sizes, memory, downloads.

    No weight is fetched or allocated. Tells what each part reads and gives, its parameters and which of them are
    trained, what is kept, resized and new of its weights, bytes to fetch, and the memory of training and prediction
    by batch size on the device at hand.
    """
    from zoo.spec.load import check_spec

    checked = check_spec(spec, overrides=overrides)
    from zoo.planning.plan import plan

    found = plan(checked)
    if as_json:
        print_json(found.as_dict())
    else:
        click.echo(repr(found))
    next_step(f"zoo train {quote(str(spec))}{settings(overrides)}")
