"""The names of a family: from the index that ships, or from one that `zoo plugins refresh` made for this machine."""

import importlib
import itertools
import json
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from zoo.errors import PluginError, UnknownName
from zoo.registry.index import Index, home
from zoo.registry.plugins import Loader
from zoo.registry.refresh import index_text
from zoo.registry.registry import Registry, installed

PLUGIN = """\
from zoo import Component, Family, Kind, hookimpl

@hookimpl
def zoo_components():
    family = Family(library="kitchenware", index="{module}:index.json", refresh="{module}:build")
    return [Component(Kind.BACKBONE, "*", "{module}:pot", modality=("image",), family=family)]

def build(progress):
    progress(1, 1)
    return {{"library": "kitchenware", "version": "2.0", "models": {{"wok": {{"dim": 3}}, "pan": {{}}}}}}
"""
SHIPPED = {"library": "kitchenware", "version": "1.0", "models": {"pot": {"dim": 2, "modality": "text"}}}
numbers = itertools.count()


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Versions of the libraries that are installed; the test may change them."""
    versions = {"kitchenware": "1.0"}

    def pretended(name: str) -> str:
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr("zoo.registry.index.version", pretended)
    return versions


MakeRegistry = Callable[[], Registry]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the family of kitchenware, and the index that it ships."""
    name = f"kitchen_{next(numbers)}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(PLUGIN.format(module=name))
    (tmp_path / name / "index.json").write_text(json.dumps(SHIPPED))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return name


@pytest.fixture
def registry(module: str, library: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> MakeRegistry:
    """Makes the registry of an environment with this one plugin; commands see the last one made."""

    def make() -> Registry:
        made = Registry(Loader([EntryPoint("kitchen", module, "zoo")]))
        monkeypatch.setattr("zoo.registry.registry.installed", lambda: made)
        return made

    return make


def index(registry: Registry) -> Index:
    (entry,) = registry.components()
    return registry.index(entry)


def own(version: str = "1.0") -> Path:
    path = home() / "index" / f"kitchen-{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_the_shipped_index(registry: MakeRegistry) -> None:
    made = registry()
    assert made.names() == ["kitchen/pot"]
    assert made.resolve("kitchen/pot").component.modality == ("text",)
    assert (index(made).version, index(made).stale) == ("1.0", "")


def test_another_version_is_noticed(registry: MakeRegistry, library: dict[str, str]) -> None:
    library["kitchenware"] = "2.0"
    told = "the index is of kitchenware 1.0, installed is 2.0: run `zoo plugins refresh kitchen`"
    assert index(registry()).stale == told
    assert told in run("plugins").stdout
    assert f"note  kitchen (unknown ?): {told}" in run("plugins", "doctor").stdout
    assert json.loads(run("plugins", "--json").stdout)["plugins"][0]["stale"] == [told]


def test_an_old_index_still_answers(registry: MakeRegistry, library: dict[str, str]) -> None:
    library["kitchenware"] = "2.0"
    assert registry().resolve("kitchen/pot").name == "kitchen/pot"


def test_an_unknown_name_tells_that_the_index_is_old(registry: MakeRegistry, library: dict[str, str]) -> None:
    library["kitchenware"] = "2.0"
    with pytest.raises(UnknownName, match="run `zoo plugins refresh kitchen`"):
        registry().resolve("kitchen/wok")


def test_a_library_that_is_not_installed(registry: MakeRegistry, library: dict[str, str]) -> None:
    library.clear()
    made = registry()
    assert made.names() == ["kitchen/pot"]
    assert (index(made).stale, index(made).own_path) == ("", None)


def test_the_users_own_index_is_preferred(registry: MakeRegistry, library: dict[str, str]) -> None:
    library["kitchenware"] = "2.0"
    own("2.0").write_text(json.dumps(SHIPPED | {"version": "2.0", "models": {"wok": {}}}))
    made = registry()
    assert made.names() == ["kitchen/wok"]
    assert index(made).stale == ""


def test_an_own_index_of_another_version_does_not_count(registry: MakeRegistry) -> None:
    own("2.0").write_text(json.dumps(SHIPPED | {"version": "2.0", "models": {"wok": {}}}))
    assert registry().names() == ["kitchen/pot"]


@pytest.mark.parametrize("name", ["ZOO_HOME", "XDG_DATA_HOME", "HOME"])
def test_home(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ZOO_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv(name, str(tmp_path))
    assert home() == {"ZOO_HOME": tmp_path, "XDG_DATA_HOME": tmp_path / "zoo"}.get(
        name, tmp_path / ".local" / "share" / "zoo"
    )


CORRUPT = {
    "empty": b"",
    "cut off": b'{"library": "kitchenware", "version": "1.0", "models": {"pot": {',
    "a list": b"[]",
    "null": b"null",
    "no version": b'{"models": {}}',
    "a number for the version": b'{"version": 1, "models": {}}',
    "a list of models": b'{"version": "1.0", "models": ["pot"]}',
    "another encoding": "größe".encode("latin-1"),
}


@pytest.mark.parametrize("name", CORRUPT)
def test_a_corrupt_own_index_gives_way_to_the_shipped_one_and_tells_what_to_do(
    name: str, registry: MakeRegistry, module: str, tmp_path: Path
) -> None:
    own().write_bytes(CORRUPT[name])
    shipped = json.loads((tmp_path / module / "index.json").read_text())
    assert index(registry()).models == shipped["models"]
    assert index(registry()).stale.startswith(f"your own index is damaged ({own()}: ")
    assert index(registry()).stale.endswith("run `zoo plugins refresh kitchen`")


@pytest.mark.parametrize("name", CORRUPT)
def test_what_is_told_to_do_helps(name: str, registry: MakeRegistry) -> None:
    own().write_bytes(CORRUPT[name])
    registry()
    own().unlink()
    assert run("plugins", "refresh", "kitchen").exit_code == 0
    assert registry().names() == ["kitchen/pan", "kitchen/wok"]


def test_refresh_alone_mends_a_corrupt_index(registry: MakeRegistry) -> None:
    own().write_bytes(b"{")
    registry()
    assert run("plugins", "refresh", "kitchen").exit_code == 0
    assert registry().names() == ["kitchen/pan", "kitchen/wok"]


def test_a_corrupt_shipped_index_is_the_plugins_fault(registry: MakeRegistry, module: str, tmp_path: Path) -> None:
    (tmp_path / module / "index.json").write_text("{}")
    with pytest.raises(PluginError, match=r"index\.json: not a valid index") as caught:
        _ = index(registry()).models
    assert "delete it" not in str(caught.value)


def test_a_missing_shipped_index(registry: MakeRegistry, module: str, tmp_path: Path) -> None:
    (tmp_path / module / "index.json").unlink()
    with pytest.raises(PluginError, match="the index of plugin `kitchen` is missing"):
        _ = index(registry()).models


def test_a_family_without_a_readable_index_is_reported_and_costs_nobody_else_anything(
    registry: MakeRegistry, module: str, tmp_path: Path
) -> None:
    (tmp_path / module / "index.json").write_text('{"version": "1.0", "models": {"pot": 3}}')
    registry()
    (broken,) = json.loads(run("plugins", "--json").stdout)["broken"]
    assert (broken["plugin"], broken["stage"]) == ("kitchen", "index")
    assert "the record of `pot` is not of the right form" in broken["error"]
    assert broken["advice"] == "make it anew: zoo plugins refresh kitchen"
    assert run("list").exit_code == 0


def test_refresh_writes_an_index_for_the_installed_version(registry: MakeRegistry, library: dict[str, str]) -> None:
    library["kitchenware"] = "2.0"
    registry()
    result = run("plugins", "refresh")
    assert (result.exit_code, result.stdout.strip()) == (0, f"wrote {own('2.0')}")
    made = registry()
    assert made.names() == ["kitchen/pan", "kitchen/wok"]
    assert made.resolve("kitchen/wok").record == {"dim": 3}
    assert index(made).stale == ""
    assert [path.name for path in own().parent.iterdir()] == ["kitchen-2.0.json"]


def test_refresh_writes_elsewhere(registry: MakeRegistry, tmp_path: Path) -> None:
    registry()
    assert run("plugins", "refresh", "kitchen", "-o", tmp_path / "new.json").exit_code == 0
    assert (
        json.loads((tmp_path / "new.json").read_text())["version"] == "1.0"
    )  # as installed, whatever the library calls itself
    assert not (home() / "index").exists()


def test_refresh_without_a_name_leaves_what_is_new(registry: MakeRegistry) -> None:
    registry()
    result = run("plugins", "refresh")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "every index is of the installed version" in result.stderr


def test_refresh_of_a_library_that_is_not_installed(registry: MakeRegistry, library: dict[str, str]) -> None:
    library.clear()
    registry()
    result = run("plugins", "refresh", "kitchen")
    assert result.exit_code == 2
    assert "kitchenware is not installed: pip install kitchenware" in result.stderr


@pytest.mark.parametrize(("plugin", "told"), [("kitchn", "did you mean `kitchen`?"), ("xyzzy", "kitchen do")])
def test_refresh_of_an_unknown_plugin(plugin: str, told: str, registry: MakeRegistry) -> None:
    registry()
    result = run("plugins", "refresh", plugin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no plugin `{plugin}` has an index" in result.stderr
    assert told in result.stderr


@pytest.mark.parametrize(("error", "code"), [(RuntimeError("no pots"), 3), (KeyboardInterrupt(), 130)])
def test_a_refresh_that_fails_leaves_the_old_index(
    error: BaseException, code: int, registry: MakeRegistry, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(progress: Callable[[int, int], None]) -> dict[str, Any]:
        progress(1, 2)
        raise error

    own().write_text(json.dumps(SHIPPED))
    registry().components()
    monkeypatch.setattr(sys.modules[module], "build", build)
    result = run("plugins", "refresh", "kitchen")
    assert result.exit_code == code
    assert "no pots" in result.stderr or code == 130
    assert json.loads(own().read_text()) == SHIPPED
    assert len(list(own().parent.iterdir())) == 1


def test_text_of_an_index() -> None:
    made = {"library": "l", "version": "1", "models": {"b": {"z": 1, "a": "é"}, "a": {}}}
    text = index_text(made)
    assert text == '{"library": "l", "version": "1", "models": {\n"a": {},\n"b": {"a": "é", "z": 1}\n}}\n'
    assert json.loads(text) == made
    assert json.loads(index_text(made | {"models": {}})) == made | {"models": {}}


@pytest.mark.parametrize("plugin", ["timm", "transformers", "torchaudio"])
def test_another_version_of_a_real_library_is_noticed(plugin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.registry.index.version", lambda name: "99.0")
    made = Registry()
    (entry,) = (entry for entry in made.components() if entry.name == f"{plugin}/*")
    assert made.index(entry).stale.endswith(f"installed is 99.0: run `zoo plugins refresh {plugin}`")


@pytest.mark.slow
def test_refresh_of_torchaudio(tmp_path: Path) -> None:
    (entry,) = (entry for entry in installed().components() if entry.name == "torchaudio/*")
    shipped = json.loads(installed().index(entry).shipped_path.read_text())
    if shipped["version"] != version("torchaudio"):
        pytest.skip("the shipped index is of another version")
    assert run("plugins", "refresh", "torchaudio", "-o", tmp_path / "index.json").exit_code == 0
    assert json.loads((tmp_path / "index.json").read_text()) == shipped
