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
        """The user's own index where there is one that can be read, else the shipped one."""
        if isinstance(self._own, dict):
            return self._own
        try:
            return _read(self.shipped_path)
        except FileNotFoundError:
            raise PluginError(f"the index of plugin `{self.plugin}` is missing: {self.family.index}") from None
        except (OSError, ValueError) as error:
            raise PluginError(f"{self.shipped_path}: not a valid index: {error}") from None

    @cached_property
    def _own(self) -> dict[str, Any] | str:
        """The user's own index; "" if there is none, and what is wrong with it if that is something."""
        if self.own_path is None or not self.own_path.is_file():
            return ""
        try:
            return _read(self.own_path)
        except (OSError, ValueError) as error:
            return f"{self.own_path}: {error}"

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
        remedy = f"run `zoo plugins refresh {self.plugin}`"
        if self._own and isinstance(self._own, str):
            return f"your own index is damaged ({self._own}): {remedy}"
        if self.installed in (None, self.version):
            return ""
        return f"the index is of {self.family.library} {self.version}, installed is {self.installed}: {remedy}"


def _read(path: Path) -> dict[str, Any]:
    """An index file.

    Raises:
        ValueError: It is no JSON, or not of the form that `Family` describes.
    """
    data = json.loads(path.read_bytes())
    if not isinstance(data, dict) or not isinstance(data.get("version"), str):
        raise ValueError("it tells no `version`")
    models = data.get("models")
    if not isinstance(models, dict):
        raise ValueError("its `models` are no JSON object")
    for name, record in models.items():
        if not isinstance(record, dict) or not isinstance(record.get("modality", ""), str):
            raise ValueError(f"the record of `{name}` is not of the right form")
        if not isinstance(record.get("parameters", 0), int):
            raise ValueError(f"the `parameters` of `{name}` are no whole number")
    return data
