"""The other of two that claim the same namespace."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "two", "broken_claim_two:build")]
