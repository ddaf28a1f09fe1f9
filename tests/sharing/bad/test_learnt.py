"""A stranger's `preprocessing.json` whose digest the lock has, and that tells nonsense: the run is damaged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.sharing.bad.runs import Files, Spoil, changed_json, refused, spoiled, written
from tests.sharing.proof import prove_here

NAME = "preprocessing.json"
LONG = "x" * (1 << 20)


def put(value: Any, *place: str) -> Spoil:
    """A value at a place of what was learnt."""

    def change(learnt: dict[str, Any]) -> None:
        for key in place[:-1]:
            learnt = learnt[key]
        learnt[place[-1]] = value

    return changed_json(NAME, change)


def text(before: bytes, after: bytes) -> Spoil:
    """What JSON of Python's reads and others do not, in the place of the mean of `c`."""

    def spoil(files: Files) -> None:
        learnt = json.loads(files[NAME])
        learnt["inputs"]["right"]["means"] = ["here"]
        files[NAME] = json.dumps(learnt).encode().replace(before, after)

    return spoil


def dropped(*place: str) -> Spoil:
    def change(learnt: dict[str, Any]) -> None:
        for key in place[:-1]:
            learnt = learnt[key]
        del learnt[place[-1]]

    return changed_json(NAME, change)


RIGHT, KIND, SIZE = ("inputs", "right"), ("heads", "kind"), ("heads", "size")
CASES: dict[str, tuple[Spoil, str]] = {
    "a list": (lambda files: files.update({NAME: b"[]"}), "no JSON object"),
    "nothing": (lambda files: files.update({NAME: b"{}"}), "heads.kind"),
    "NaN": (text(b'"here"', b"NaN"), "inputs.right.means` holds nan"),
    "infinity": (text(b'"here"', b"-Infinity"), "inputs.right.means` holds -inf"),
    "1e999": (text(b'"here"', b"1e999"), "inputs.right.means"),
    "10^400": (text(b'"here"', b"1" + b"0" * 400), "inputs.right.means"),
    "10^5000": (text(b'"here"', b"1" + b"0" * 5000), NAME),
    "inputs are a list": (put([], "inputs"), "inputs"),
    "heads are null": (put(None, "heads"), "heads"),
    "backbones are a text": (put("x", "backbones"), "backbones"),
    "a further kind": (put({}, "policies"), "policies"),
    "a kind of 1 MB": (put({}, LONG), "xxx"),
    "a further input": (put({}, "inputs", "other"), "inputs.other"),
    "an input of 1 MB": (put({}, "inputs", LONG), "inputs.xxx"),
    "an input is a list": (put([], *RIGHT), "inputs.right"),
    "no means": (dropped(*RIGHT, "means"), "inputs.right"),
    "no deviations": (dropped(*RIGHT, "deviations"), "inputs.right"),
    "means are a number": (put(1, *RIGHT, "means"), "inputs.right"),
    "means are a mapping": (put({"c": 1}, *RIGHT, "means"), "inputs.right"),
    "means are texts": (put(["1"], *RIGHT, "means"), "inputs.right"),
    "means are lists": (put([[1.0]], *RIGHT, "means"), "inputs.right"),
    "means are null": (put([None], *RIGHT, "means"), "inputs.right"),
    "means are true": (put([True], *RIGHT, "means"), "inputs.right"),
    "means are a text of 1 MB": (put(LONG, *RIGHT, "means"), "inputs.right"),
    "more means than columns": (put([1.0, 2.0], *RIGHT, "means"), "inputs.right"),
    "more of both than columns": (put({"means": [1, 2], "deviations": [1, 2]}, *RIGHT), "inputs.right"),
    "deviations of 0": (put([0.0], *RIGHT, "deviations"), "inputs.right"),
    "negative deviations": (put([-1.0], *RIGHT, "deviations"), "inputs.right"),
    "deviations of another number": (put([1.0, 1.0], *RIGHT, "deviations"), "inputs.right"),
    "categories are a list": (put(["c"], *RIGHT, "categories"), "inputs.right"),
    "categories are numbers": (put({"c": [1, 2]}, *RIGHT, "categories"), "inputs.right"),
    "categories of another column": (put({"z": ["a"]}, *RIGHT, "categories"), "inputs.right"),
    "a head learnt nothing": (dropped(*KIND), "heads.kind"),
    "a head is a number": (put(7, *KIND), "heads.kind"),
    "classes are numbers": (put([1, 2], *KIND, "classes"), "heads.kind"),
    "classes are a text": (put("ab", *KIND, "classes"), "heads.kind"),
    "classes are a mapping": (put({"low": 1, "high": 2}, *KIND, "classes"), "heads.kind"),
    "classes are the same": (put(["low", "low"], *KIND, "classes"), "heads.kind"),
    "classes are lists": (put([["low"], ["high"]], *KIND, "classes"), "heads.kind"),
    "no classes": (dropped(*KIND, "classes"), "heads.kind"),
    "a regressor's means are texts": (put(["a"], *SIZE, "means"), "heads.size"),
    "a regressor's means are two": (put([1.0, 2.0], *SIZE, "means"), "heads.size"),
    "a regressor has no deviations": (dropped(*SIZE, "deviations"), "heads.size"),
    "a regressor's deviations are a mapping": (put({}, *SIZE, "deviations"), "heads.size"),
}


@pytest.mark.parametrize("what", CASES)
def test_nonsense_that_was_learnt_is_a_damaged_run(
    what: str, shared: Mapping[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_here(monkeypatch)
    spoil, told = CASES[what]
    folder = written(spoiled(shared, spoil), tmp_path / "run")
    for words in (["verify", folder], ["predict", folder, "a=1", "b=2", "c=3"]):
        said = refused(words, tmp_path, 4, (NAME, told))
        assert len(said) < 2000
