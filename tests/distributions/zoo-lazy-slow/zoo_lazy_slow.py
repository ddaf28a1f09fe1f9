"""Imports torch in its hook, as a plugin must not."""

from collections.abc import Iterable

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    import torch  # noqa: F401  # what a plugin must not do

    return [Component(Kind.FUSION, "heavy", "zoo_lazy_slow:build")]
