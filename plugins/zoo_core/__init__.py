"""The namespace `zoo/`: inputs, backbones, fusions, heads and policies that come with zoo, declared by kind."""

from collections.abc import Iterable

from zoo import Component, hookimpl

ZOO_PLUGIN_API = 1


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    from zoo_core.declarations import backbones, fusions, heads, inputs, policies, texts

    for kind in (inputs, backbones, texts, fusions, heads, policies):
        yield from kind.COMPONENTS
