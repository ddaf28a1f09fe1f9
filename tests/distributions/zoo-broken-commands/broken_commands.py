"""Raises when asked for its commands."""

from collections.abc import Iterable

import click

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "loud", "broken_commands:build")]


@hookimpl
def zoo_commands(cli: click.Group) -> None:
    raise LookupError("no terminal of ours")
