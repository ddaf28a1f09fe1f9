"""Plugins made up on the spot."""

import importlib
import itertools
import re
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

PRELUDE = """\
from dataclasses import dataclass
from zoo import Component, Family, Kind, hookimpl, option

@dataclass(frozen=True, kw_only=True)
class Knife:
    length: int = option(20, "Length of the blade.", ge=1)
"""
SOUP = 'Component(Kind.FUSION, "soup", "kitchen:soup", options=Knife, summary="Everything in one pot.")'
SALAD = 'Component(Kind.HEAD, "salad", "kitchen:salad")'


def declaring(*components: str, before: str = "") -> str:
    """The source of a plugin that declares components."""
    return f"{PRELUDE}{before}\n@hookimpl\ndef zoo_components():\n    return [{', '.join(components)}]\n"


GOOD = declaring(SOUP, SALAD)


class MadeUp(Distribution):
    """A distribution that nobody installed."""

    def __init__(self, name: str, version: str, points: dict[str, str]) -> None:
        lines = [f"{name} = {value}" for name, value in points.items()]
        self.files_by_name = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if name else "",
            "entry_points.txt": "\n".join(["[zoo]", *lines]),
        }

    def read_text(self, filename: str) -> str | None:
        return self.files_by_name.get(filename)

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


MakePlugin = Callable[..., EntryPoint]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlugin:
    """Makes a plugin from its source; by default `<namespace>` of the distribution `zoo-<namespace> 1.0`."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    numbers = itertools.count()

    def make(
        namespace: str, source: str = GOOD, distribution: str | None = None, version: str = "1.0", target: str = ""
    ) -> EntryPoint:
        module = f"made_up_{re.sub(r'[^a-z]', '_', namespace)}_{next(numbers)}"
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        name = f"zoo-{namespace}" if distribution is None else distribution
        (point,) = MadeUp(name, version, {namespace: target or module}).entry_points
        return point

    return make
