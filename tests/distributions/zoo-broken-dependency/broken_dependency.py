"""Needs a library that is not there."""

from collections.abc import Iterable

import pointcloud_operations

from zoo import Component, Kind, hookimpl


@hookimpl
def zoo_components() -> Iterable[Component]:
    pointcloud_operations.prepare()
    return [Component(Kind.FUSION, "cloud", "broken_dependency:build")]
