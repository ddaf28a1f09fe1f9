"""Would answer to a name of zoo's own plugin."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "resnet50", "broken_squatter:build")]
