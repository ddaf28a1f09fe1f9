"""Misspells the hook, which would otherwise never be called."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_componets() -> Iterable[Component]:
    return [Component(Kind.FUSION, "typo", "broken_spelling:build")]
