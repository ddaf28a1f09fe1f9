"""What `zoo` alone says: what it is, and the three next things to do, fitted to the folder one stands in."""

from pathlib import Path
from shlex import quote

import click


def welcome() -> None:
    """Prints the three next things to do."""
    specs = [path for path in Path().glob("*.yaml") if _has_key(path, "zoo", "inputs")]
    specs.sort(key=lambda path: (path.name != "spec.yaml", -path.stat().st_mtime, path.name))
    click.echo("zoo fits pretrained backbones, a fusion and heads into one model, from one YAML spec.\n")
    if specs:
        first = quote(str(specs[0]))
        steps = [(f"zoo check {first}", "tells everything that is wrong with your spec")]
        if _has_key(specs[0], "data"):
            steps += [
                (f"zoo plan {first}", "tells what it would become: shapes, parameters, memory, downloads"),
                (f"zoo train {first}", "fine-tunes it and says how good it is"),
            ]
        else:
            steps += [
                (f"zoo spec render {first}", "shows every effective value; `data` has none yet: name your table there"),
                ("zoo list backbones", "shows what else there is to build with"),
            ]
    else:
        steps = [
            ("zoo list recipes", "shows ready specs, one per task"),
            ("zoo show image-text --yaml > spec.yaml", "makes one of them yours"),
            ("zoo check spec.yaml", "tells what is left to fill in: where your table is, and its columns"),
        ]
    width = max(len(command) for command, _ in steps)
    for number, (command, effect) in enumerate(steps, 1):
        click.echo(f"  {number}. {command:<{width}}  {effect}")
    click.echo("\n`zoo --help` lists all verbs.")


def _has_key(path: Path, *keys: str) -> bool:
    """Whether a YAML file has one of these keys at its top."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(4096)
    except (OSError, UnicodeDecodeError):
        return False
    return any(line.startswith(tuple(f"{key}:" for key in keys)) for line in text.splitlines())
