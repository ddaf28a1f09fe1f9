"""Written for a later zoo."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl

ZOO_PLUGIN_API = 99


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "warp", "zoo_future:build")]
