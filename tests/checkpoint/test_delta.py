"""Deltas: what is left out is found again in the base, to the last byte, whatever it is called there."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.checkpoint.delta import Rule, own_names, place_of, put_together, read_rules, rule_of
from zoo.checkpoint.raw import Raw
from zoo.checkpoint.tensors import as_raw
from zoo.errors import CorruptError

BASE = {
    "conv.weight": torch.randn(64, 3),
    "norm.weight": torch.ones(80),
    "norm.running_var": torch.ones(80),
    "norm.steps": torch.tensor(0),
    "layers.0.weight": torch.randn(90),
    "layers.1.weight": torch.randn(90),
    "fc.weight": torch.randn(100),
}


def raw(tensors: dict[str, Tensor]) -> dict[str, Raw]:
    return {name: as_raw(each) for name, each in tensors.items()}


def digests(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {name: each.digest() for name, each in raw(tensors).items()}


def round_trip(run: dict[str, Tensor], base: dict[str, Tensor], part: str) -> tuple[set[str], list[Rule]]:
    """What a delta of the run holds, and its rules; what is put together from it is the run."""
    mine = {name: digest for name, digest in digests(run).items() if name.startswith(f"{part}.")}
    sizes = {name: each.nbytes for name, each in run.items()}
    found = rule_of("base", mine, digests(base), sizes)
    rules = [] if found is None else read_rules(json.loads(json.dumps([found.as_dict()])))
    own = set(own_names(digests(run), rules, {"base": digests(base)}))
    whole = dict(put_together(run, raw({name: run[name] for name in own}), rules, {"base": raw(base)}))
    assert {name: each.digest() for name, each in whole.items()} == digests(run)
    return own, rules


def test_a_tuned_head_and_moved_statistics_are_all_that_is_stored() -> None:
    run = {f"backbones.photo.network.{name}": each for name, each in BASE.items() if name != "fc.weight"}
    run |= {
        "backbones.photo.network.norm.running_var": torch.full((80,), 1.5),
        "heads.kind.weight": torch.randn(2, 5),
    }
    own, rules = round_trip(run, BASE, "backbones.photo")
    assert own == {"backbones.photo.network.norm.running_var", "heads.kind.weight"}
    assert rules == [Rule("base", "backbones.photo.network", "")]


@pytest.mark.parametrize("there", ["", "bert.", "backbones.picture.network."])
def test_whatever_the_names_of_the_base_begin_with(there: str) -> None:
    run = {f"backbones.note.network.{name}": each for name, each in BASE.items()}
    own, (rule,) = round_trip(run, {f"{there}{name}": each for name, each in BASE.items()}, "backbones.note")
    assert own == set()
    assert rule.renamed == {}


def test_a_tensor_of_another_name_is_told_by_name_unless_it_is_small() -> None:
    run = {f"backbones.note.{name}": each for name, each in BASE.items()}
    run["backbones.note.stem.weight"] = run.pop("backbones.note.conv.weight")
    run["backbones.note.count"] = run.pop("backbones.note.norm.steps")
    own, (rule,) = round_trip(run, BASE, "backbones.note")
    assert own == {"backbones.note.count"}
    assert rule.renamed == {"backbones.note.stem.weight": "conv.weight"}


def test_nothing_of_a_base_is_nothing_to_tell() -> None:
    own, rules = round_trip({"backbones.a.weight": torch.randn(90)}, BASE, "backbones.a")
    assert (own, rules) == ({"backbones.a.weight"}, [])


@given(data=st.data())
def test_a_delta_is_exact_whatever_moved_went_or_came(data: st.DataObject) -> None:
    run: dict[str, Tensor] = {}
    for name, each in BASE.items():
        fate = data.draw(st.sampled_from(["kept", "kept", "moved", "gone", "renamed", "other type"]))
        place = f"backbones.a.{'x.' if fate == 'renamed' else ''}{name}"
        if fate != "gone":
            run[place] = each + 1 if fate == "moved" else each.double() if fate == "other type" else each
    if data.draw(st.booleans()):
        run["heads.b.weight"] = BASE["conv.weight"]
    round_trip(run, BASE, "backbones.a")


def test_a_tensor_that_is_nowhere_is_corrupt() -> None:
    with pytest.raises(CorruptError, match="`b` is neither in delta"):
        list(put_together(["b"], {}, [Rule("base", "", "")], {"base": raw(BASE)}))
    assert place_of("b", [Rule("gone", "", "")], {"base": raw(BASE)}) is None


GOOD = {"base": "a", "ours": "b", "theirs": "", "renamed": {"c": "d"}}


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        [1],
        [{}],
        [{**GOOD, "base": 1}],
        [{**GOOD, "renamed": []}],
        [{**GOOD, "renamed": {"a": 1}}],
        [{**GOOD, "x": 1}],
    ],
)
def test_rules_that_are_none_are_corrupt(told: object) -> None:
    with pytest.raises(CorruptError, match=r"zoo\.lock does not tell"):
        read_rules(told)


def test_an_own_tensor_comes_before_that_of_the_base(tmp_path: Path) -> None:
    own = raw({"a.conv.weight": torch.zeros(1)})
    rules = [Rule("base", "a", "")]
    found = dict(put_together(["a.conv.weight", "a.fc.weight"], own, rules, {"base": raw(BASE)}))
    assert found["a.conv.weight"].shape == (1,) and found["a.fc.weight"].shape == (100,)
