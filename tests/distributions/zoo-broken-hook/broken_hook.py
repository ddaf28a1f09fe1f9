"""Raises while it declares, after its first component."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    yield Component(Kind.FUSION, "half", "broken_hook:build")
    raise RuntimeError("the licence server does not answer")
