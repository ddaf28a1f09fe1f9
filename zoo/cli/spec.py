"""The verbs of the language: `zoo check`, `zoo spec render`, `zoo spec schema`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.output import json_option, next_step, note, print_json, write_text
from zoo.errors import SpecError
from zoo.files import json_text

if TYPE_CHECKING:
    from zoo.spec.sections import Spec

spec_argument = click.argument("spec", type=click.Path(path_type=Path))
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a value: --set train.epochs=3."
)


def settings(overrides: Iterable[str]) -> str:
    """The `--set` words of a command, for the next one."""
    return "".join(f" --set {quote(each)}" for each in overrides)


output_option = click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")


@click.command("check")
@spec_argument
@set_option
@json_option
def check_command(spec: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Tell everything that is wrong with a spec.

    All errors at once, each with its line and what was probably meant. Touches no network, imports no torch, and reads
    of a local table its header alone.
    """
    from zoo.spec.load import check_spec

    try:
        checked = check_spec(spec, overrides=overrides)
    except SpecError as error:
        if as_json:
            print_json({"ok": False, "errors": [problem.as_dict() for problem in error.problems]})
        else:
            note(str(error))
            count = len(error.problems)
            note(f"\n{count} error{'s' if count > 1 else ''} in {spec}")
        raise click.exceptions.Exit(error.exit_code) from None
    if as_json:
        print_json({"ok": True, "errors": []})
        return
    click.echo(f"{spec} is right: {_summary(checked)}")
    for remark in _remarks(checked):
        note(f"note: {remark}")
    next_step(f"zoo plan {quote(str(spec))}{settings(overrides)}")


def _summary(spec: "Spec") -> str:
    parts = [", ".join(f"{name} ({part.type.partition('/')[2]})" for name, part in spec.inputs.items())]
    if spec.fusion:
        parts.append(spec.fusion.use)
    parts.append(", ".join(f"{name} ({head.use.partition('/')[2]})" for name, head in spec.heads.items()))
    return " -> ".join(parts)


def _remarks(spec: "Spec") -> Iterator[str]:
    """What is no error and still worth knowing: parts that start at random, data that was not looked into."""
    from zoo.spec.files import unseen
    from zoo.spec.sections import Backbone

    towers = {name: part.backbone for name, part in spec.inputs.items() if isinstance(part.backbone, Backbone)}
    random = [f"{name} ({tower.use})" for name, tower in towers.items() if tower.weights == "none"]
    if random:
        yield f"these start from random weights: {', '.join(random)}"
    if not spec.data.train:
        yield "it names no `data:`, so no column was looked for"
    yield from unseen(spec)


@click.group("spec")
def spec_command() -> None:
    """Render a spec in full, or print the schema of all specs."""


@spec_command.command("render")
@spec_argument
@set_option
@click.option("--origins/--no-origins", default=True, help="Tell behind each value where it came from.")
@output_option
@json_option
def render_command(spec: Path, overrides: tuple[str, ...], origins: bool, output: Path | None, as_json: bool) -> None:
    """Print the canonical form: every effective value, and where it came from.

    Written to another folder with -o, its relative paths are rewritten to lead to the same files.
    """
    from zoo.document.nodes import dotted
    from zoo.spec.load import load_spec
    from zoo.spec.paths import moved
    from zoo.spec.render import render_spec, spec_data, spec_origins

    loaded = load_spec(spec, overrides=overrides)
    if output is not None:
        loaded = moved(loaded, output.parent)
    if as_json:
        told = {dotted(path): origin for path, origin in spec_origins(loaded).items()}
        write_text(json_text({"spec": spec_data(loaded), "origins": told}, indent=2), output)
    else:
        write_text(render_spec(loaded, origins=origins), output)


@spec_command.command("schema")
@output_option
def schema_command(output: Path | None) -> None:
    """Print the JSON Schema of specs, with the options of every installed plugin, for editors.

    An editor with a YAML language server reads it from the first line of a spec:
    `# yaml-language-server: $schema=zoo.schema.json`
    """
    import json

    from zoo.registry.registry import installed
    from zoo.spec.schema import spec_schema

    write_text(json.dumps(spec_schema(installed()), indent=1, ensure_ascii=False) + "\n", output)
