"""The names of a family, from an index that ships as data, or from a newer one that the user made."""

import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from zoo.component import Family
from zoo.errors import PluginError


def home() -> Path:
    """The folder of a user's own indexes and catalogue: `ZOO_HOME`, else `zoo` under the XDG data folder."""
    if chosen := os.environ.get("ZOO_HOME"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "zoo"


@dataclass(frozen=True)
class Index:
    """The models of one library at one version: name to record.

    Args:
        plugin: Namespace of the plugin whose family this is.
        family: What the plugin declared.
    """

    plugin: str
    family: Family

    @cached_property
    def _data(self) -> dict[str, Any]:
        for path in (self.own_path, self.shipped_path):
            if path is None or not path.is_file():
                continue
            try:
                data: dict[str, Any] = json.loads(path.read_bytes())
                assert isinstance(data["version"], str) and isinstance(data["models"], dict)
                return data
            except (ValueError, KeyError, TypeError, AssertionError) as error:
                advice = f"; delete it and run: zoo plugins refresh {self.plugin}" if path == self.own_path else ""
                raise PluginError(f"{path}: not a valid index: {error!r}{advice}") from None
        raise PluginError(f"the index of plugin `{self.plugin}` is missing: {self.family.index}")

    @property
    def own_path(self) -> Path | None:
        """Where `zoo plugins refresh` puts the index for the installed version; None if there is none installed."""
        return home() / "index" / f"{self.plugin}-{self.installed}.json" if self.installed else None

    @property
    def shipped_path(self) -> Path:
        """The index that came with the plugin, made from the version it was tested with."""
        package, _, file = self.family.index.partition(":")
        module = sys.modules.get(package)
        origin = getattr(module, "__file__", None)
        folder = Path(origin).parent if origin else Path(package)
        return folder / file

    @cached_property
    def installed(self) -> str | None:
        """Version of the library on this machine."""
        try:
            return version(self.family.library)
        except PackageNotFoundError:
            return None

    @property
    def version(self) -> str:
        """Version of the library that the index was made from."""
        told: str = self._data["version"]
        return told

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        """Record of every name."""
        models: dict[str, dict[str, Any]] = self._data["models"]
        return models

    @property
    def stale(self) -> str:
        """What to do when the library is not the version that the index was made from; "" when it is."""
        if self.installed in (None, self.version):
            return ""
        return (
            f"the index is of {self.family.library} {self.version}, installed is {self.installed}: "
            f"run `zoo plugins refresh {self.plugin}`"
        )
