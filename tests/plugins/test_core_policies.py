"""Which parameters the policies train."""

from collections.abc import Collection
from importlib import import_module
from typing import Any

import pytest

from zoo.component import Kind
from zoo.contract import Policy, PolicyContext, Trainable
from zoo_core.declarations import policies as declared
from zoo_core.declarations.policies import Last

GROUPS = (("stem.weight",), ("layer1.weight", "layer1.bias"), ("layer2.weight",), ())
NAMES = ("stem.weight", "layer1.weight", "layer1.bias", "layer2.weight")


def policy(name: str) -> Policy:
    """A policy by its short form: `last:2`."""
    name, _, groups = name.partition(":")
    component = next(each for each in declared.COMPONENTS if each.name == name)
    options: Any = Last(groups=int(groups)) if groups else component.options and component.options()
    module, _, attribute = component.target.partition(":")
    made: Policy = getattr(import_module(module), attribute)(options, PolicyContext(name="transfer"))
    return made


def trained(name: str, kind: Kind = Kind.BACKBONE, pretrained: bool = True, chosen: bool = False) -> Collection[str]:
    part = Trainable(name="backbones.photo", kind=kind, groups=GROUPS, pretrained=pretrained, chosen=chosen)
    return policy(name).trainable(part)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("full", NAMES),
        ("frozen", ()),
        ("last", NAMES[3:]),
        ("last:1", NAMES[3:]),
        ("last:2", NAMES[1:]),
        ("last:3", NAMES),
        ("last:99", NAMES),
    ],
)
@pytest.mark.parametrize(("pretrained", "chosen"), [(True, False), (False, True), (True, True)])
def test_settled_backbones_are_held_back(name: str, expected: tuple[str, ...], pretrained: bool, chosen: bool) -> None:
    assert sorted(trained(name, pretrained=pretrained, chosen=chosen)) == sorted(expected)


@pytest.mark.parametrize("name", ["full", "frozen", "last:1"])
def test_a_random_backbone_is_trained_whole(name: str) -> None:
    assert sorted(trained(name, pretrained=False)) == sorted(NAMES)


@pytest.mark.parametrize("name", ["full", "frozen", "last:1"])
@pytest.mark.parametrize("kind", [Kind.FUSION, Kind.HEAD])
@pytest.mark.parametrize("pretrained", [False, True])
def test_fusion_and_heads_are_trained_whole(name: str, kind: Kind, pretrained: bool) -> None:
    assert sorted(trained(name, kind=kind, pretrained=pretrained)) == sorted(NAMES)


def test_a_backbone_without_parameters_has_nothing_to_train() -> None:
    empty = Trainable(name="backbones.photo", kind=Kind.BACKBONE, groups=((), ()), pretrained=True, chosen=False)
    assert [list(policy(name).trainable(empty)) for name in ("full", "frozen", "last:1")] == [[], [], []]
