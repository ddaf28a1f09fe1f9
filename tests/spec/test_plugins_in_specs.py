"""What a spec says of the plugins that it names: distributions they need, and options classes that break."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from zoo import Component, Kind, hookimpl
from zoo.document.source import Source
from zoo.errors import ExitCode, SpecError
from zoo.registry.plugins import Loader
from zoo.registry.registry import Registry
from zoo.spec.load import read_spec

SPEC = """\
inputs:
  x: {type: toy/cell, backbone: toy/tower}
heads:
  y: toy/head
transfer: toy/policy
"""


def registry_with(requires: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Registry:
    module = ModuleType("toy_requires")

    @hookimpl
    def zoo_components() -> list[Component]:
        return [
            Component(kind=Kind.INPUT, name="cell", target="toy:cell", modality=("cell",)),
            Component(kind=Kind.BACKBONE, name="tower", target="toy:tower", modality=("cell",), requires=requires),
            Component(kind=Kind.HEAD, name="head", target="toy:head"),
            Component(kind=Kind.POLICY, name="policy", target="toy:policy"),
        ]

    module.zoo_components = zoo_components  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "toy_requires", module)
    return Registry(Loader([EntryPoint("toy", "toy_requires", "zoo")]))


def test_what_is_installed_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_with(("click", "rich>=1"), monkeypatch)
    assert read_spec(Source(SPEC, "spec.yaml"), registry=registry).inputs["x"].type == "toy/cell"


def test_what_is_missing_is_told_with_one_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_with(("no-such-thing>=1.5", "click>=900"), monkeypatch)
    with pytest.raises(SpecError) as caught:
        read_spec(Source(SPEC, "spec.yaml"), registry=registry)
    first, second = caught.value.problems
    assert first.message == "`toy/tower` needs more: the distribution `no-such-thing` is not installed"
    assert (first.line, first.column) == (2, 33)
    assert "wanted is >=900" in second.message
    assert first.hint == second.hint == 'pip install "no-such-thing>=1.5" "click>=900"'
    assert caught.value.exit_code is ExitCode.PLUGIN


OWN_CHECK = """\
import dataclasses
from zoo import Component, Kind, hookimpl, option

@dataclasses.dataclass
class Options:
    size: int = option(1, "Of it.")

    def __post_init__(self):
        print("checking")
        if self.size == 2:
            raise SystemExit(0)
        if self.size == 3:
            raise ZeroDivisionError("no")

@hookimpl
def zoo_components():
    return [Component(Kind.HEAD, "head", "toy:head", options=Options)]
"""


@pytest.mark.parametrize(("size", "told"), [(2, "SystemExit: 0"), (3, "ZeroDivisionError: no")])
def test_an_options_class_that_breaks_is_the_plugins_fault(
    size: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("toy_breaks")
    monkeypatch.setitem(sys.modules, "toy_breaks", module)
    exec(OWN_CHECK, module.__dict__)
    first = [EntryPoint(name, f"zoo_{target}", "zoo") for name, target in (("zoo", "core"), ("timm", "timm"))]
    registry = Registry(Loader([*first, EntryPoint("toy", "toy_breaks", "zoo")]))
    spec = f"inputs: {{x: {{type: image, backbone: timm/resnet50}}}}\nheads: {{y: {{use: toy/head, size: {size}}}}}\n"
    with pytest.raises(SpecError, match=f"the plugin's own check broke: {told}") as caught:
        read_spec(Source(spec, "spec.yaml"), registry=registry)
    assert caught.value.exit_code is ExitCode.PLUGIN
    assert capsys.readouterr().out == ""


def test_what_is_no_requirement_breaks_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = registry_with(("not a requirement",), monkeypatch)
    assert [broken.plugin for broken in registry.broken] == ["toy"]
    assert "is no requirement" in registry.broken[0].error
