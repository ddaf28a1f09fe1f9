"""Imports torch at the top, as a plugin must not."""

from collections.abc import Iterable

import torch  # noqa: F401  # what a plugin must not do

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    return [Component(Kind.FUSION, "heavy", "zoo_slow:build")]
