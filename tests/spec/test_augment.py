"""`augment:` under an input, and what heads say of it."""

import pytest
from jsonschema import Draft202012Validator

from tests.spec.wrong.case import GOOD, after, changed
from tests.toys import toy_registry
from zoo.document.nodes import plain
from zoo.document.parse import parse
from zoo.document.source import Source
from zoo.errors import SpecError
from zoo.registry.registry import installed
from zoo.spec.load import read_spec
from zoo.spec.render import render_spec, spec_data, spec_origins
from zoo.spec.schema import spec_schema
from zoo.spec.sections import Spec

LIST = "[crop, {flip: 0.3}, {colour: {hue: 0.1}}, {rotate: {}}]"
SOUND = "{type: audio, frontend: torchaudio/log-mel, backbone: timm/resnet18, augment: [spec-augment, gain]}"


def read(text: str) -> Spec:
    return read_spec(Source(text, "spec.yaml"))


def augmented(said: str) -> str:
    return changed("type: image", f"type: image, augment: {said}")


def test_a_list_is_rendered_with_every_option_and_where_it_came_from() -> None:
    spec = read(augmented(LIST))
    told = spec_data(spec)["inputs"]["photo"]["augment"]
    assert [next(iter(each)) for each in told] == ["crop", "flip", "colour", "rotate"]
    assert told[1] == {"flip": {"horizontal": 0.3, "vertical": 0.0}}
    assert told[2]["colour"]["hue"] == 0.1
    origins = spec_origins(spec)
    assert origins["inputs", "photo", "augment", 1, "flip", "horizontal"] == "spec.yaml:3"
    assert origins["inputs", "photo", "augment", 1, "flip", "vertical"] == "default of zoo/image"
    assert read(render_spec(spec)) == spec


def test_those_of_a_front_end_stand_beside_those_of_the_input() -> None:
    spec = read(changed("{type: image, backbone: timm/resnet50}", SOUND))
    assert [each.name for each in spec.inputs["photo"].augment] == ["spec-augment", "gain"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "valid"), [(LIST, True), ("strong", True), ("[crup]", False), ("[{flip: {x: 1}}]", False)]
)
def test_the_schema_knows_them(said: str, valid: bool) -> None:
    data = plain(parse(Source(augmented(said), "spec.yaml")))
    assert Draft202012Validator(spec_schema(installed())).is_valid(data) is valid


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD, frozenset()),
        (augmented("none"), frozenset()),
        (augmented("[]"), frozenset()),
        (augmented("light"), frozenset({"photo"})),
        (augmented("[crop]"), frozenset({"photo"})),
        (after("train: {cutmix: 1}\n"), frozenset({"photo"})),
    ],
)
def test_which_inputs_are_augmented(text: str, told: frozenset[str]) -> None:
    assert read(text).augmented == told


DETECTOR = """\
inputs: {{photo: {{type: image, backbone: toy/pyramid, augment: {0}}}}}
heads: {{objects: {{use: toy/fcos, classes: [cat], columns: {{}}}}}}
train: {{mixup: {1}}}
"""


def test_labels_that_tell_places_refuse_what_moves_things() -> None:
    read_spec(Source(DETECTOR.format("[colour, erase]", 0), "s"), registry=toy_registry())
    read_spec(Source(DETECTOR.format("strong", 0), "s"), registry=toy_registry())  # which leaves them out
    with pytest.raises(SpecError) as caught:
        read_spec(Source(DETECTOR.format("[colour, {rotate: 5}, crop]", 0.1), "s"), registry=toy_registry())
    told = [each.message for each in caught.value.problems]
    move = "moves what is in a sample, and the labels of the head `objects` would not move with it"
    assert told[:2] == [f"`rotate` {move}", f"`crop` {move}"]
    assert "`mixup` gives each row two labels, which the head `objects` (`toy/fcos`) cannot learn from" in told[2]
    assert "toy/picture" not in told[2]


def test_an_input_without_augmentations_has_no_presets() -> None:
    text = "inputs: {photo: {type: toy/picture, backbone: toy/conv, augment: light}}\nheads: {mood: zoo/classifier}"
    with pytest.raises(SpecError, match="`toy/picture` has no augmentations in the preset `light`"):
        read_spec(Source(text, "s"), registry=toy_registry())
