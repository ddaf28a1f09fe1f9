"""Declares one name twice."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [
        Component(Kind.FUSION, "mix", "broken_duplicate:build"),
        Component(Kind.HEAD, "mix", "broken_duplicate:build_head"),
    ]
