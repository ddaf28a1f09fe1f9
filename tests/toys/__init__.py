"""A plugin of toys, under the namespace `toy/`."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint

from tests.toys.declarations import COMPONENTS
from zoo import Component, Registry, hookimpl
from zoo.registry.plugins import Loader


@hookimpl
def zoo_components() -> Iterable[Component]:
    return COMPONENTS


def toy_registry() -> Registry:
    """zoo's own components and the toys."""
    return Registry(Loader([EntryPoint("zoo", "zoo_core", "zoo"), EntryPoint("toy", "tests.toys", "zoo")]))
