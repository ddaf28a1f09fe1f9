"""Wants an argument that the hook does not have."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components(registry: object) -> Iterable[Component]:
    return [Component(Kind.FUSION, "odd", "broken_signature:build")]
