"""From the `target` of a declaration to the code behind it, which is imported here and not before."""

from collections.abc import Callable
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
    who = f"`{registered.name}` ({registered.plugin}) cannot be had: {target}"
    try:
        found: Any = import_module(module)
        for step in attribute.split("."):
            found = getattr(found, step)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{who}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise PluginError(f"{who} is no function or class")
    code: Callable[..., Any] = found
    return code
