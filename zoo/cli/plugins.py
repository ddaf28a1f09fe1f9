"""`zoo plugins`: what is installed, what is broken, and the indexes of families."""

from typing import TYPE_CHECKING

import click

from zoo.cli.output import json_option, next_step, note, print_json, print_table
from zoo.errors import ExitCode

if TYPE_CHECKING:
    from zoo.registry.plugins import Plugin
    from zoo.registry.registry import Registered, Registry


@click.group("plugins", invoke_without_command=True)
@json_option
@click.pass_context
def plugins_command(context: click.Context, as_json: bool) -> None:
    """List the installed plugins, find the broken, renew indexes."""
    if context.invoked_subcommand is None:
        _list(as_json)
    elif as_json:
        raise click.UsageError(f"--json goes behind: zoo plugins {context.invoked_subcommand} --json", context)


@plugins_command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the installed plugins, the broken ones too."""
    _list(as_json)


def _list(as_json: bool) -> None:
    registry = _inspected()
    if as_json:
        print_json(_facts(registry))
        return
    rows = [_row(registry, plugin) for plugin in registry.plugins]
    rows += [[b.plugin, b.distribution, b.version, "-", f"broken at {b.stage}: {b.error}"] for b in registry.broken]
    print_table(["plugin", "distribution", "version", "components", "state"], rows)
    if registry.broken:
        next_step("zoo plugins doctor")


def _inspected() -> "Registry":
    """The registry after everything has been asked of every plugin once: components, indexes and commands."""
    from zoo.registry.registry import installed

    root = click.get_current_context().find_root()
    if isinstance(root.command, click.Group):
        root.command.list_commands(root)
    installed().inspect()
    return installed()


def _row(registry: "Registry", plugin: "Plugin") -> list[str]:
    count = len([entry for entry in registry.components() if entry.plugin is plugin])
    return [plugin.name, plugin.distribution, plugin.version, str(count), _state(registry, plugin)]


def _state(registry: "Registry", plugin: "Plugin") -> str:
    """What there is to say of a plugin that works: nothing, or what it costs, or that its index is old."""
    remarks = []
    if plugin.heavy:
        remarks.append(f"slow: imports {', '.join(plugin.heavy)} while declaring, {plugin.seconds:.1f} s of every verb")
    remarks += [stale for entry in _families(registry, plugin) if (stale := registry.stale(entry))]
    return "; ".join(remarks) or "ok"


def _families(registry: "Registry", plugin: "Plugin") -> "list[Registered]":
    return [entry for entry in registry.components() if entry.plugin is plugin and entry.component.family]


def _facts(registry: "Registry") -> dict[str, object]:
    """The JSON shape of `zoo plugins`."""
    return {
        "plugins": [
            {
                "plugin": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "components": [entry.name for entry in registry.components() if entry.plugin is plugin],
                "seconds": round(plugin.seconds, 4),
                "heavy": list(plugin.heavy),
                "stale": [stale for entry in _families(registry, plugin) if (stale := registry.stale(entry))],
            }
            for plugin in registry.plugins
        ],
        "broken": [
            {
                name: str(getattr(broken, name))
                for name in ("plugin", "distribution", "version", "stage", "error", "where", "advice")
            }
            for broken in registry.broken
        ],
    }


@plugins_command.command("doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    """Tell what is wrong with which plugin, and what would mend it. Exits 3 when one is broken."""
    registry = _inspected()
    if as_json:
        print_json(_facts(registry))
    else:
        for plugin in registry.plugins:
            state = _state(registry, plugin)
            click.echo(
                f"{'ok  ' if state == 'ok' else 'note'}  {plugin.name} ({plugin})" + f": {state}" * (state != "ok")
            )
        for broken in registry.broken:
            click.echo(
                f"bad   {broken.plugin} ({broken.distribution} {broken.version}): {broken.stage}: {broken.error}"
            )
            click.echo(f"      {broken.advice}")
            if click.get_current_context().find_root().params.get("debug") and broken.trace:
                note(broken.trace)
    if registry.broken:
        raise click.exceptions.Exit(ExitCode.PLUGIN)


@plugins_command.command("refresh")
@click.argument("plugin", required=False)
@click.option("-o", "--output", type=click.Path(), help="Write the index here instead of into your zoo folder.")
def refresh_command(plugin: str | None, output: str | None) -> None:
    """Renew the index of a plugin's family from the installed library; without a name, every index that is old.

    This imports the library and may take minutes.
    """
    from pathlib import Path

    from zoo.registry.refresh import refresh, refreshable
    from zoo.registry.registry import installed

    chosen = refreshable(installed(), plugin)
    if output and len(chosen) > 1:
        raise click.UsageError("-o takes one index; name its plugin")
    if not chosen:
        note("every index is of the installed version; name a plugin to renew its index all the same")
    for entry in chosen:
        path = refresh(installed(), entry, Path(output) if output else None)
        click.echo(f"wrote {path}")
