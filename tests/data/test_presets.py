"""Presets leave out what labels would not survive, and say so."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.toys import toy_registry
from zoo.contract import ValueSpec
from zoo.data.augment import Changes, make_augmentation
from zoo.data.presets import told_by_labels
from zoo.document.source import Source
from zoo.spec.load import read_spec

SPEC = """\
inputs:
  photo: {{type: image, augment: {preset}, backbone: toy/pyramid}}
{more}heads: {{mood: {head}}}
"""
TEXT = "  words: {type: text, backbone: toy/lm}\nfusion: zoo/concat\n"
DETECTOR = "{use: toy/fcos, classes: [cat], columns: {}}"


def model(
    classes: list[str], preset: str = "light", more: str = "", head: str = "zoo/classifier", channels: int = 3
) -> Any:
    text = SPEC.format(preset=preset, more=more, head=head)
    value = ValueSpec(modality="image", shape=(channels, None, None))
    inputs = {"photo": SimpleNamespace(value=value), "words": SimpleNamespace(value=ValueSpec(modality="text"))}
    spec = read_spec(Source(text, "spec.yaml"), registry=toy_registry())
    kept = {name: inputs[name] for name in spec.inputs}
    return SimpleNamespace(
        spec=spec, inputs=kept, frontends={}, fitted={}, head=lambda name: SimpleNamespace(classes=classes)
    )


def left(**how: Any) -> set[str]:
    """What the preset leaves out."""
    told = [remark.partition(" leaves out ")[2].partition(":")[0] for remark in make_augmentation(model(**how)).remarks]
    return {name.strip("` ") for names in told for name in names.split(",")}


@pytest.mark.parametrize(
    ("classes", "light", "strong"),
    [
        (["cat", "dog"], set(), set()),
        (["0", "1", "7"], {"crop", "flip"}, {"crop", "flip", "erase"}),
        (["A", "B"], {"flip"}, {"flip"}),
        (["turn left", "turn right"], {"flip"}, {"flip"}),
        (["three", "two"], {"crop", "flip"}, {"crop", "flip", "erase"}),
        (["red square", "blue circle"], {"colour"}, {"colour"}),
        ([], {"crop", "flip"}, {"crop", "flip", "erase"}),
    ],
)
def test_what_class_names_show(classes: list[str], light: set[str], strong: set[str]) -> None:
    assert left(classes=classes) == light
    assert left(classes=classes, preset="strong") == strong


def test_a_text_beside_the_picture_may_tell_sides() -> None:
    assert left(classes=["yes", "no"], more=TEXT) == {"flip"}


def test_labels_that_tell_places_leave_colours_alone() -> None:
    assert left(classes=[], head=DETECTOR, preset="strong") == {"crop", "flip", "rotate", "erase"}


def test_a_list_is_obeyed() -> None:
    made = make_augmentation(model(["0", "1"], preset="[flip, crop]"))
    assert made.remarks == ()
    assert len(made.inputs["photo"].decoded) == 2


def test_the_remark_says_why_and_what_to_do() -> None:
    (remark,) = make_augmentation(model(["cat", "7", "8"])).remarks
    told = "`inputs.photo.augment: light` leaves out `crop`, `flip`: the head `mood` has the class `7`"
    assert remark == f"{told}; a list is obeyed"


def test_a_preset_leaves_out_what_the_values_do_not_have() -> None:
    made = make_augmentation(model(["cat", "dog"], channels=5))
    assert made.remarks == (
        "`inputs.photo.augment: light` leaves out `colour`: `colour` knows grey, RGB, RGBA pictures; those of the "
        "input have 5 channels: leave it out; a list is obeyed",
    )
    assert isinstance(made.inputs["photo"], Changes)


def test_every_reason_names_where_it_comes_from() -> None:
    told = told_by_labels(model(["left", "3", "red"]), "photo")
    assert set(told) == {"sides", "amounts", "colours"}
    assert all("`mood`" in reason for reason in told.values())
