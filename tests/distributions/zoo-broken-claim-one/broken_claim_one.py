"""One of two that claim the same namespace."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "one", "broken_claim_one:build")]
