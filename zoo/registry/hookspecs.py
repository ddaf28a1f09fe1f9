"""The hooks of the plugin door. Their docstrings are the whole specification."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from zoo.component import Component

if TYPE_CHECKING:
    import click

hookspec = pluggy.HookspecMarker("zoo")
hookimpl = pluggy.HookimplMarker("zoo")
"""Marks a plugin's function as the implementation of a hook."""


@hookspec
def zoo_components() -> Iterable[Component]:  # type: ignore[empty-body]  # a specification has no body
    """The components that the plugin offers. Must not import torch: a component's target is imported at first build."""


@hookspec
def zoo_commands(cli: "click.Group") -> None:
    """Adds commands to the `zoo` group. A command that would replace one of zoo's own is refused."""
