"""The verb that brings in what another library saved: `zoo import`."""

from dataclasses import asdict
from pathlib import Path

import click

from zoo.cli.output import json_option, next_step, note, print_json
from zoo.cli.share import nonfinite_option
from zoo.cli.waiting import waiting

SHOWN = 8
"""Names of files that are told of many."""


@click.command("import")
@click.argument("source", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The new folder; imported/<name> unless said.")
@nonfinite_option
@json_option
def import_command(source: Path, output: Path | None, allow_nonfinite: bool, as_json: bool) -> None:
    """Bring in a model of transformers or timm, from pickles too.

    FOLDER is as the library saved it, or one file of weights (.safetensors, .bin, .pt, .pth, .ckpt) with what stands
    beside it. The new folder holds safetensors, settings and tokenizer, and nothing that could run: a spec takes it as
    `weights`. Pickles are read in a process of its own that takes tensors alone; every number stays what it is.
    """
    from zoo.hub.import_folder import import_folder

    with waiting(f"reading {source}"):
        found = import_folder(source, output, allow_nonfinite=allow_nonfinite)
    if as_json:
        print_json({**asdict(found), "folder": str(found.folder)})
        return
    for file, entries in found.stripped.items():
        note(f"taken out of {file}: {_some(entries)}")
    if found.left:
        note(f"left behind: {_some(found.left)}")
    for each in found.remarks:
        note(each)
    what = "pickles" if found.pickled else "safetensors"
    size = sum(found.files.values())
    click.echo(
        f"imported {found.folder}: {found.tensors} tensors from {what}, {size:,} bytes in {len(found.files)} files"
    )
    if found.use is None:
        note("nothing tells which backbone these weights are of; `zoo list backbones` lists those that there are")
    next_step(f"write into your spec `{found.line}`")


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
