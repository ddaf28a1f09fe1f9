"""A good plugin in a module that the entry point does not name."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "lost", "broken_entry_point:build")]
