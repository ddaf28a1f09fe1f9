"""The kit can fail: each law finds a component that breaks it and nothing else, and no sound one is found."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from tests.testing import broken_backbones as broken
from tests.testing.broken_augmentations import NoOptions
from tests.toys.declarations import COMPONENTS as TOYS
from tests.toys.declarations import Choice
from zoo.component import Augmentation, Component, Kind
from zoo.contract import ValueSpec
from zoo.errors import SpecError, UnknownName
from zoo.testing import check, conformance
from zoo.testing.kit import laws_of

LABELS = ["good", "bad", "good", "bad"]
CHOICE = {"classes": ["bad", "good"]}


def component(kind: Kind, target: str, **declared: Any) -> Component:
    """A component whose target stands among the broken ones."""
    declared.setdefault("summary", "A broken one.")
    module = "broken_backbones" if kind is Kind.BACKBONE else "broken_parts"
    return Component(kind=kind, name="tried", target=f"tests.testing.{module}:{target}", **declared)


def laws_broken(declared: Component, options: Mapping[str, Any] | None = None, **given: Any) -> set[str]:
    return {each.law for each in conformance("local/tried", options, components=[declared], **given)}


def backbone(target: str, *provides: str, **declared: Any) -> Component:
    able = frozenset({"tokens", "pooled", *provides})
    return component(Kind.BACKBONE, target, **{"modality": ("sequence",), "provides": able, **declared})


BACKBONES = [
    ("builds", backbone("Unbuildable")),
    ("outputs_are_finite", backbone("Infinite")),
    ("evaluation_is_deterministic", backbone("Restless")),
    ("start_depends_on_the_seed_alone", backbone("Gambling")),
    ("weights_are_all_that_is_kept", backbone("Secretive")),
    ("building_needs_no_memory", backbone("Heavy")),
    ("weights_can_be_assigned", backbone("Forgetful")),
    ("frozen_is_frozen", backbone("Counting")),
    ("frozen_is_frozen", backbone("Headstrong")),
    ("gradients_reach_every_parameter", backbone("Idle")),
    ("gradients_reach_every_parameter", backbone("Steep")),
    ("everything_is_documented", backbone("Good", summary="")),
    ("everything_is_documented", backbone("Good", options=broken.Outer)),
    ("shapes_are_those_it_tells", backbone("Boastful")),
    ("example_is_like_prepared_values", backbone("Precise")),
    ("example_is_like_prepared_values", backbone("Brief")),
    ("layer_groups_name_every_tensor_once", backbone("Lacking")),
    ("layer_groups_name_every_tensor_once", backbone("Repeating")),
    ("own_weights_fit", backbone("Copying")),
    ("own_weights_fit", backbone("Dropping")),
    ("preparation_goes_along_without_weights", backbone("Clinging")),
    ("preparation_goes_along_without_weights", backbone("Unpicklable")),
    ("kept_files_build_it_again", backbone("Misfiled")),
    ("rows_do_not_depend_on_each_other", backbone("Sociable")),
    ("padding_changes_nothing", backbone("Unmasked")),
    ("padding_changes_nothing", backbone("Peeking")),
    ("absent_rows_change_nothing", backbone("Shy")),
    ("rows_without_the_input_are_zeros", backbone("Doubled")),
    ("abilities_are_there", backbone("Good", "stages")),
    ("abilities_are_there", backbone("Good", "maps")),
    ("abilities_are_there", backbone("Encoding", "encode")),
    ("abilities_are_there", backbone("Mute", "generate")),
]


def fusion(target: str) -> Component:
    return component(Kind.FUSION, target, provides=frozenset({"tokens", "pooled"}), needs=frozenset({"pooled"}))


FUSIONS = [
    ("outputs_are_finite", fusion("NotEveryRow")),
    ("shapes_are_those_it_tells", fusion("WrongWidth")),
    ("absence_and_padding_change_nothing", fusion("Blending")),
    ("rows_do_not_depend_on_each_other", fusion("Gathering")),
    ("every_input_counts", fusion("Partial")),
    ("every_input_counts", fusion("Deaf")),
    ("inputs_may_be_absent_from_all_rows", fusion("Counting")),
]


def head(target: str, **declared: Any) -> Component:
    return component(Kind.HEAD, target, options=Choice, needs=frozenset({"pooled"}), **declared)


HEADS = [
    ("loss_is_one_finite_number", head("Scattered")),
    ("predictions_are_plain", head("Raw")),
    ("predictions_are_plain", head("Short")),
    ("wrong_labels_are_refused", head("Credulous")),
    ("metrics_are_numbers", head("Unmeasured")),
    ("metrics_are_numbers", head("Tensorial")),
    ("metrics_are_numbers", head("Unweighed")),
    ("rows_do_not_depend_on_each_other", head("Comparing")),
    ("predictions_are_of_their_type", head("Promising")),
    *(
        ("example_is_like_collated_labels", head(target))
        for target in ("Guessing", "Wordy", "Imprecise", "Sparing", "Earthbound", "Shrinking")
    ),
]


def others(kind: Kind, *cases: tuple[str, str], **declared: Any) -> list[tuple[str, Component]]:
    return [(law, component(kind, target, **declared)) for law, target in cases]


INPUTS = [
    *others(
        Kind.INPUT,
        ("values_are_of_its_spec", "Flat"),
        ("decoding_can_be_repeated", "Drifting"),
        ("decoding_can_be_repeated", "Laden"),
        ("missing_cells_are_missing", "Blind"),
        ("what_can_be_decoded_passes_the_check", "Strict"),
        ("wrong_cells_are_refused", "Rude"),
        modality=("sequence",),
    ),
    (
        "what_is_learnt_is_plain_data",
        component(Kind.INPUT, "Numbers", modality=("sequence",), fit="tests.testing.broken_parts:learn_keys"),
    ),
]
FRONTENDS = others(
    Kind.FRONTEND,
    ("values_are_of_its_spec", "Misshapen"),
    ("values_can_be_made_again", "Noisy"),
    ("samples_stay_as_they_are", "Wearing"),
    modality=("audio", "image"),
)


def augmented(kind: Kind, target: str, *modality: str, broken: str) -> Component:
    """A sound input or front end, with a broken augmentation."""
    declared = Augmentation("tried", f"tests.testing.broken_augmentations:{broken}", NoOptions, summary="Broken.")
    return component(kind, target, modality=modality, augmentations=(declared,))


AUGMENTED = [
    (law, augmented(*sound, broken=broken))
    for sound in ((Kind.INPUT, "Numbers", "sequence"), (Kind.FRONTEND, "Halved", "audio", "image"))
    for law, broken in (
        ("augmentations_keep_the_kind", "Deepening"),
        ("augmentations_keep_the_kind", "Coarse"),
        ("augmentations_depend_on_the_seed_alone", "Elsewhere"),
        ("augmentations_depend_on_the_seed_alone", "Idle"),
        ("augmentations_leave_their_values", "Spoiling"),
    )
]
POLICIES = others(
    Kind.POLICY,
    ("names_are_those_of_the_part", "Trespassing"),
    ("decisions_do_not_change", "Wavering"),
)
ALL = [*BACKBONES, *FUSIONS, *HEADS, *INPUTS, *FRONTENDS, *AUGMENTED, *POLICIES]
ALL_OF_ALL = pytest.mark.parametrize(
    ("law", "declared"), ALL, ids=[f"{each.kind}-{each.target.partition(':')[2]}-{law}" for law, each in ALL]
)


@ALL_OF_ALL
def test_each_law_finds_what_breaks_it_and_nothing_else_does(law: str, declared: Component) -> None:
    options, given = (CHOICE, {"samples": LABELS}) if declared.kind is Kind.HEAD else ({}, {})
    assert laws_broken(declared, options, **given) == {law}


def test_a_default_that_cannot_be_built_is_found() -> None:
    declared = backbone("Degenerate", options=broken.Width)
    assert laws_broken(declared, {"width": 2}) == {"defaults_can_be_built"}


def test_every_law_has_something_that_breaks_it() -> None:
    """Laws of all modules are broken by backbones; each kind breaks its own."""
    shared = set(laws_of(Kind.BACKBONE))
    told = {"defaults_can_be_built", *(law for law, _ in ALL)}
    for kind in Kind:
        own = {law for law, each in ALL if each.kind is kind}
        assert set(laws_of(kind)) - own - (shared & told) == set(), kind


def test_every_law_says_what_it_is() -> None:
    assert all(said.endswith(".") for kind in Kind for said in laws_of(kind).values())


PICTURES = [torch.randn(3, 16, 16) for _ in range(4)]
SIZES = [torch.randn(3, *size) for size in ((32, 40), (32, 40), (40, 32), (32, 32))]
BOXES = [
    {"boxes": [[1, 1, 9, 9]], "kinds": ["a"]},
    {"boxes": [[3, 4, 14, 15], [0, 0, 8, 8]], "kinds": ["b", "a"]},
    {"boxes": [[4, 4, 12, 12]], "kinds": ["b"]},
]
SOUND: dict[str, tuple[Mapping[str, Any], Sequence[Any] | None]] = {
    "picture": ({}, PICTURES),
    "steps": ({}, None),
    "conv": ({"width": 4}, PICTURES),
    "vit": ({}, PICTURES),
    "pyramid": ({}, SIZES),
    "recurrent": ({}, [torch.randn(steps, 3) for steps in (8, 3, 1, 8)]),
    "lm": ({}, ["abc", "a", "hello you"]),
    "mean": ({}, None),
    "choice": (CHOICE, LABELS),
    "fcos": ({"columns": {"labels": "kinds"}, "classes": ["a", "b"]}, BOXES),
    "simclr": ({}, None),
    "mae": ({}, None),
    "captioner": ({"decoder": {"use": "local/lm", "weights": "none"}}, ["red", "blue", "green"]),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_components_conform(name: str) -> None:
    options, samples = SOUND[name]
    given: dict[str, Any] = {} if samples is None else {"samples": samples}
    check(f"local/{name}", options, components=TOYS, **given)


def test_every_toy_is_tried() -> None:
    assert set(SOUND) == {each.name for each in TOYS}


@pytest.mark.parametrize("declared", [backbone("Good"), component(Kind.POLICY, "Everything")])
def test_what_breaks_nothing_is_not_found(declared: Component) -> None:
    assert laws_broken(declared) == set()


def test_an_example_of_targets_may_be_larger_than_labels_where_these_differ() -> None:
    assert laws_broken(head("Growing"), CHOICE, samples=LABELS) == set()
    assert laws_broken(head("Growing"), CHOICE, samples=["good"]) == {"example_is_like_collated_labels"}


def test_check_tells_all_findings() -> None:
    with pytest.raises(AssertionError) as caught:
        check("local/tried", components=[backbone("Repeating", summary="")])
    told = str(caught.value).splitlines()
    assert told == [
        "`local/tried` does not conform:",
        "everything_is_documented: the component has no `summary`",
        "layer_groups_name_every_tensor_once: `layer_groups` names `linear.weight` more than once",
    ]


def test_parameters_that_are_meant_to_be_unused_are_named() -> None:
    idle = backbone("Idle")
    assert laws_broken(idle, unused=["spare.*"]) == set()
    assert laws_broken(idle, unused=["spare.*", "linear.bias"]) == {"gradients_reach_every_parameter"}
    assert laws_broken(idle, unused=["spare.*", "nothing"]) == {"gradients_reach_every_parameter"}


def test_a_modality_that_zoo_does_not_know_needs_samples_and_their_spec() -> None:
    video = backbone("Good", modality=("video",))
    with pytest.raises(ValueError, match="give some as `samples`"):
        conformance("local/tried", components=[video])
    value = ValueSpec(modality="video", shape=(None, 3))
    samples = [torch.randn(steps, 3) for steps in (4, 2, 3)]
    assert laws_broken(video, samples=samples, value=value) == set()


def test_a_head_that_learns_from_labels_needs_some() -> None:
    with pytest.raises(ValueError, match="give cells of labels as `samples`"):
        conformance("local/choice", CHOICE, components=TOYS)


def test_options_are_checked_as_those_of_a_spec_are() -> None:
    with pytest.raises(SpecError, match="unknown key `widht`"):
        conformance("local/conv", {"widht": 4}, components=TOYS)
    with pytest.raises(UnknownName, match="did you mean `local/conv`"):
        conformance("local/cov", components=TOYS)
