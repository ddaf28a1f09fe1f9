"""Prints where a machine may be reading."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl

print("chatty: imported")


@hookimpl
def zoo_components() -> Iterable[Component]:
    print("chatty: declares")
    return [Component(Kind.FUSION, "talk", "zoo_chatty:build")]
