"""Would replace a verb of zoo's own."""

from collections.abc import Iterable

import click

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "own", "broken_verb:build")]


@hookimpl
def zoo_commands(cli: click.Group) -> None:
    @cli.command("check")
    def check() -> None:
        """Say that everything is right."""
