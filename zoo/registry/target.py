"""From the `target` of a declaration to the code behind it, which is imported here and not before."""

from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import Any

from zoo.errors import PluginError
from zoo.registry.registry import Registered


def load_target(registered: Registered, target: str) -> Callable[..., Any]:
    """The function or class that `module:attribute` of a component names.

    Raises:
        PluginError: It cannot be imported; the message names plugin, target and cause.
    """
    module, _, attribute = target.partition(":")
    try:
        found: Any = reduce(getattr, attribute.split("."), import_module(module))
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {error}"
        raise PluginError(f"`{registered.name}` ({registered.plugin}) cannot be had: {target}: {cause}") from error
    if not callable(found):
        raise PluginError(f"`{registered.name}` ({registered.plugin}) cannot be had: {target} is no function or class")
    return found
