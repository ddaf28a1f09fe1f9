"""The namespace `timm/`: every image model of timm as a backbone."""

from collections.abc import Iterable

from zoo import Component, hookimpl

ZOO_PLUGIN_API = 1


@hookimpl
def zoo_components() -> Iterable[Component]:
    """What this plugin offers."""
    from zoo_timm.declaration import BACKBONES

    return [BACKBONES]
