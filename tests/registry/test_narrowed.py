"""What `ZOO_PLUGINS` names."""

import pytest

from tests.registry.made_up import MakePlugin, plugin
from zoo.registry.plugins import Loader

__all__ = ["plugin"]


@pytest.mark.parametrize("wanted", ["two:pot", "zzz, two:pot"])
def test_of_two_that_claim_a_namespace_one_can_be_named(
    wanted: str, plugin: MakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [plugin("pot", distribution="one"), plugin("pot", distribution="two"), plugin("zzz")]
    monkeypatch.setattr("zoo.registry.plugins.entry_points", lambda group: points)
    monkeypatch.setenv("ZOO_PLUGINS", wanted)
    loader = Loader()
    assert str(loader.plugins["pot"]) == "two 1.0"
    assert not loader.broken


def test_nobody_takes_a_namespace_of_zoo_by_being_named(plugin: MakePlugin, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [plugin("timm", distribution="a-timm"), plugin("timm", distribution="zoo")]
    monkeypatch.setattr("zoo.registry.plugins.entry_points", lambda group: points)
    monkeypatch.setenv("ZOO_PLUGINS", "a-timm:timm")
    loader = Loader()
    assert loader.plugins["timm"].distribution == "zoo"
    assert [broken.distribution for broken in loader.broken] == ["a-timm"]
