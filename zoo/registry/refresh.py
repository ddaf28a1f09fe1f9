"""Makes the index of a family anew from the installed library."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.component import Family
from zoo.errors import PluginError, UnknownName, UsageError, nearest
from zoo.files import replace_file
from zoo.registry.registry import Registered, Registry


def refreshable(registry: Registry, plugin: str | None) -> list[Registered]:
    """The families to renew: those of the named plugin, or all whose index is of another version.

    Raises:
        UnknownName: No such plugin has a family.
    """
    families = [entry for entry in registry.components() if entry.component.family]
    if plugin is None:
        return [entry for entry in families if registry.stale(entry)]
    chosen = [entry for entry in families if entry.plugin.name == plugin]
    if not chosen:
        names = [entry.plugin.name for entry in families]
        raise UnknownName(f"no plugin `{plugin}` has an index; {', '.join(names)} do", nearest(plugin, names))
    return chosen


def refresh(registry: Registry, entry: Registered, output: Path | None = None) -> Path:
    """Builds a family's index and writes it, complete or not at all; gives the file.

    Raises:
        UsageError: The library is not installed.
        PluginError: The plugin could not make the index.
    """
    family, index = entry.component.family, registry.index(entry)
    assert family is not None
    path = output or index.own_path
    if path is None:
        raise UsageError(f"{family.library} is not installed: pip install {family.library}")
    built = _build(entry, family)
    try:
        # The version is the distribution's, by which an index is found again, whatever the library calls itself.
        text = index_text({**built, "library": family.library, "version": index.installed or built["version"]})
    except (KeyError, TypeError, AttributeError) as error:
        raise PluginError(f"the plugin `{entry.plugin.name}` made an index that is none: {error!r}") from None
    replace_file(path, text)
    return path


def index_text(index: dict[str, Any]) -> str:
    """An index as JSON with one model per line, so that a renewed one shows in a diff what changed."""
    head = {name: index[name] for name in ("library", "version")}
    lines = ",\n".join(f"{_compact(name)}: {_compact(record)}" for name, record in sorted(index["models"].items()))
    return json.dumps(head)[:-1] + ', "models": {\n' + lines + "\n}}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _build(entry: Registered, family: Family) -> dict[str, Any]:
    """Calls the plugin's function, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    module, _, function = family.refresh.partition(":")
    console = Console(stderr=True)
    with Progress(transient=True, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"index of {family.library}", total=None)

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        try:
            build: Callable[..., dict[str, Any]] = getattr(import_module(module), function)
            return build(advance)
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            raise PluginError(f"the plugin `{entry.plugin.name}` could not make its index: {told}") from error
