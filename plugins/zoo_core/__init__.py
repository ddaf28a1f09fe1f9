"""The namespace `zoo/`: inputs, backbones, fusions, heads and policies that come with zoo, one declaration per file."""

from collections.abc import Iterable

from zoo import Component, hookimpl

ZOO_PLUGIN_API = 1


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    from zoo_core import backbones, fusions, heads, inputs, policies

    for package in (inputs, backbones, fusions, heads, policies):
        yield from package.COMPONENTS
